/** `popup users load` */
import type { Command } from "commander";
import { parseCampaignId } from "../../campaign.js";
import { loadAudience } from "../../load/load.js";
import { stepBack } from "../../priority.js";
import { contextOf, withStore } from "../context.js";
import { addLoadFlags, loadLine, loadOptions, type LoadFlags } from "./load-flags.js";

export function usersCommands(program: Command): void {
  const group = program.command("users").description("a campaign's own user list").addHelpText("after", "\nExample:\n  popup users load 7 customers.csv");
  addLoadFlags(group.command("load").description("load a campaign's user list from CSV").argument("<id>", "campaign id").argument("<file>", "a CSV file with a header, or - for standard input"))
    .addHelpText("after", "\nExample:\n  popup users load 7 customers.csv --column customer_no --mode add")
    .action((id: string, file: string, flags: LoadFlags, command: Command) => {
      const context = contextOf(command);
      const options = loadOptions(context, flags);
      return withStore(context, async (store) => {
        const campaignId = parseCampaignId(id);
        store.campaigns.get(campaignId);
        stepBack("load");
        const result = await loadAudience(store, { kind: "users", campaignId }, file, options, "users.load");
        context.print(result, loadLine(result));
      });
    });
}
