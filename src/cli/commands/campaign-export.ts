/** `popup campaign export` */
import { type Command, Option } from "commander";
import { campaignToJson } from "../../campaign.js";
import { contextOf, withStore } from "../context.js";

export function exportCommand(group: Command): void {
  group
    .command("export")
    .description("every campaign, in the form that import reads")
    .addOption(new Option("--format <format>", "form of the output").choices(["json", "csv"]).default("json"))
    .addHelpText("after", "\nExample:\n  popup campaign export --format csv > campaigns.csv")
    .action((options: { format: "json" | "csv" }, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => {
        const { formatCampaignCsv } = await import("../../campaign-files.js");
        const timezone = store.settings.get("timezone");
        const campaigns = store.campaigns.list().map((campaign) => campaignToJson(campaign, timezone));
        context.print(campaigns, options.format === "csv" ? formatCampaignCsv(campaigns) : JSON.stringify(campaigns, null, 2));
      });
    });
}
