/** `popup campaign list` and `popup campaign show` */
import type { Command } from "commander";
import { campaignToJson, parseCampaignId } from "../../campaign.js";
import { formatCap } from "../../caps.js";
import { formatBrief } from "../../time.js";
import { contextOf, table, timesIn, withStore } from "../context.js";

export function listCommand(group: Command): void {
  group
    .command("list")
    .description("every campaign, by id")
    .addHelpText("after", "\nExample:\n  popup campaign list --json")
    .action((_options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const campaigns = store.campaigns.list();
        const day = (ms: number): string => formatBrief(ms, timezone);
        // An id is a name, not a quantity: no thousands separator.
        const rows = campaigns.map((c) => [
          String(c.id),
          c.status,
          c.priority,
          c.title,
          c.target,
          c.caps.map(formatCap).join(" "),
          day(c.start_time),
          day(c.end_time),
        ]);
        const listed = table(["id", "status", "priority", "title", "target", "caps", "start", "end"], rows, { cut: ["title", "target", "caps"] });
        context.print(
          campaigns.map((campaign) => campaignToJson(campaign, timezone)),
          rows.length === 0 ? "no campaigns" : `${listed}\n${timesIn(timezone)}`,
        );
      });
    });
}

export function showCommand(group: Command): void {
  group
    .command("show")
    .description("one campaign, field by field")
    .argument("<id>", "campaign id")
    .addHelpText("after", "\nExample:\n  popup campaign show 7")
    .action((id: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const campaign = campaignToJson(store.campaigns.get(parseCampaignId(id)), timezone);
        const users = store.audiences.find({ kind: "users", campaignId: campaign.id });
        const text = (name: string, value: unknown): string =>
          `${Array.isArray(value) ? value.join(" ") : value === null ? "" : String(value)}${name.endsWith("_time") ? ` ${timezone}` : ""}`;
        const rows = Object.entries(campaign).map(([name, value]) => [name, text(name, value)]);
        rows.push(["users", users ? `${users.integers + users.strings} ids, ${users.encoding}` : "no list loaded"]);
        context.print(campaign, table(["field", "value"], rows, { wrap: "value" }));
      });
    });
}
