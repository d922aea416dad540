/** `popup campaign list` and `popup campaign show` */
import type { Command } from "commander";
import { campaignToJson, parseCampaignId } from "../../campaign.js";
import { contextOf, table, withStore } from "../context.js";

export function listCommand(group: Command): void {
  group.command("list").description("every campaign, by id")
    .addHelpText("after", "\nExample:\n  popup campaign list --json")
    .action((_options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const campaigns = store.campaigns.list().map((campaign) => campaignToJson(campaign, timezone));
        // An id is a name, not a quantity: no thousands separator.
        const rows = campaigns.map((c) => [String(c.id), c.status, c.priority, c.title, c.target, c.caps.join(" "), c.start_time, c.end_time]);
        context.print(campaigns, rows.length === 0 ? "no campaigns" : table(["id", "status", "priority", "title", "target", "caps", "start", "end"], rows));
      });
    });
}

export function showCommand(group: Command): void {
  group.command("show").description("one campaign, field by field").argument("<id>", "campaign id")
    .addHelpText("after", "\nExample:\n  popup campaign show 7")
    .action((id: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const campaign = campaignToJson(store.campaigns.get(parseCampaignId(id)), store.settings.get("timezone"));
        const users = store.audiences.find({ kind: "users", campaignId: campaign.id });
        const rows = Object.entries(campaign).map(([name, value]) => [name, Array.isArray(value) ? value.join(" ") : value === null ? "" : String(value)]);
        rows.push(["users", users ? `${users.integers + users.strings} ids, ${users.encoding}` : "no list loaded"]);
        context.print(campaign, table(["field", "value"], rows));
      });
    });
}
