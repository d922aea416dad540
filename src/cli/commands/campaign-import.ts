/** `popup campaign import` */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { campaignToJson } from "../../campaign.js";
import { PopupError, reasonOf } from "../../errors.js";
import { importCampaigns } from "../../store/campaign-changes.js";
import type { Store } from "../../store/store.js";
import { addYes, confirm, type YesFlag } from "../confirm.js";
import { contextOf, counted, withStore } from "../context.js";

export function importCommand(group: Command): void {
  addYes(
    group
      .command("import")
      .description("campaigns from JSON or CSV: with an id it updates, without it creates; all or nothing")
      .argument("<file>", "a file, or - for standard input"),
  )
    .addHelpText("after", "\nExample:\n  popup campaign import fixtures/campaigns.json")
    .action(async (file: string, flags: YesFlag, command: Command) => {
      const context = contextOf(command);
      const { parseCampaignFile } = await import("../../campaign-files.js");
      const records = parseCampaignFile(readText(file), file);
      return withStore(context, async (store) => {
        const ending = endedBy(store, records);
        if (ending.length > 0) await confirm(`End ${counted(ending.length, "campaign")} for good: ${ending.join(", ")}?`, flags);
        const campaigns = importCampaigns(store, records, file);
        const timezone = store.settings.get("timezone");
        const ids = campaigns.map((campaign) => campaign.id).join(" ");
        context.print(
          campaigns.map((campaign) => campaignToJson(campaign, timezone)),
          `${counted(campaigns.length, "campaign")} imported${ids === "" ? "" : `: ${ids}`}`,
        );
      });
    });
}

/** The ids of campaigns that run and that the records would end. What is wrong with a record is told when it is imported. */
function endedBy(store: Store, records: readonly unknown[]): number[] {
  const wanted = new Set(
    records.flatMap((record) =>
      typeof record === "object" && record !== null && "id" in record && "status" in record && record.status === "ended" ? [record.id] : [],
    ),
  );
  return store.campaigns
    .list()
    .filter(({ id, status }) => wanted.has(id) && (status === "active" || status === "paused"))
    .map(({ id }) => id);
}

function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new PopupError("bad_file", `${file} cannot be read: ${reasonOf(error)}`, { hint: "check the path" });
  }
}
