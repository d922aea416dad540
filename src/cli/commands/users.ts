/** `popup users load`, and the versions of user lists */
import type { Command } from "commander";
import { parseCampaignId } from "../../campaign.js";
import { contextOf } from "../context.js";
import { addVersionCommands } from "./audience-versions.js";
import { addLoadFlags, type LoadFlags, loadLine, runLoad } from "./load-flags.js";

export function usersCommands(program: Command): void {
  const group = program.command("users").description("a campaign's own user list").addHelpText("after", "\nExample:\n  popup users load 7 customers.csv");
  addLoadFlags(
    group
      .command("load")
      .description("load a campaign's user list from CSV")
      .argument("<id>", "campaign id")
      .argument("<file>", "a CSV file with a header, or - for standard input"),
  )
    .addHelpText("after", "\nExample:\n  popup users load 7 customers.csv --column customer_no --mode add")
    .action((id: string, file: string, flags: LoadFlags, command: Command) => {
      const context = contextOf(command);
      return runLoad(context, flags, async (store, options) => {
        const campaignId = parseCampaignId(id);
        store.campaigns.get(campaignId);
        const { loadAudience } = await import("../../load/load.js");
        const result = await loadAudience(store, { kind: "users", campaignId }, file, options, "users.load");
        context.print(result, loadLine(result, flags.mode));
      });
    });
  addVersionCommands(group, {
    argument: "<id>",
    about: "campaign id",
    example: "7",
    refOf: (id) => ({ kind: "users", campaignId: parseCampaignId(id) }),
    command: "users.rollback",
  });
}
