/** `popup campaign import` */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { campaignToJson } from "../../campaign.js";
import { parseCampaignFile } from "../../campaign-files.js";
import { PopupError, reasonOf } from "../../errors.js";
import { importCampaigns } from "../../store/campaign-changes.js";
import { contextOf, counted, withStore } from "../context.js";

export function importCommand(group: Command): void {
  group.command("import").description("campaigns from JSON or CSV: with an id it updates, without it creates; all or nothing")
    .argument("<file>", "a file, or - for standard input")
    .addHelpText("after", "\nExample:\n  popup campaign import fixtures/campaigns.json")
    .action((file: string, _options, command: Command) => {
      const context = contextOf(command);
      const records = parseCampaignFile(readText(file), file);
      return withStore(context, (store) => {
        const campaigns = importCampaigns(store, records, file);
        const timezone = store.settings.get("timezone");
        const ids = campaigns.map((campaign) => campaign.id).join(" ");
        context.print(campaigns.map((campaign) => campaignToJson(campaign, timezone)), `${counted(campaigns.length, "campaign")} imported${ids === "" ? "" : `: ${ids}`}`);
      });
    });
}

function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new PopupError("bad_file", `${file} cannot be read: ${reasonOf(error)}`, { hint: "check the path" });
  }
}
