/** `popup report` */
import type { Command } from "commander";
import { parseCampaignId } from "../../campaign.js";
import { invalid } from "../../errors.js";
import { parseTime } from "../../time.js";
import { contextOf, table, withStore } from "../context.js";

interface Flags { from?: string; to?: string }

const HEAD = ["impressions", "users", "clicks", "dismissals", "over cap"];

export function reportCommand(program: Command): void {
  program.command("report").description("impressions, users, clicks and dismissals per campaign; with an id also per day").argument("[id]", "campaign id")
    .option("--from <time>", "from this time on")
    .option("--to <time>", "until just before this time")
    .addHelpText("after", "\nExamples:\n  popup report\n  popup report 7 --from 2026-11-01 --to 2026-12-01")
    .action((text: string | undefined, flags: Flags, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const id = text === undefined ? null : parseCampaignId(text);
        const timezone = store.settings.get("timezone");
        const from = flags.from === undefined ? 0 : parseTime(flags.from, timezone, "--from");
        const to = flags.to === undefined ? Number.MAX_SAFE_INTEGER : parseTime(flags.to, timezone, "--to");
        if (to <= from) throw invalid("--to", "is not after --from", "give an end later than the start");
        const report = store.events.report(id, from, to, timezone);
        // A campaign without a single event is in the report with zeros; one that does not exist is an error.
        if (id !== null && report.length === 0) store.campaigns.get(id);
        const totals = report.map((r) => [String(r.campaign_id), r.title, r.impressions, r.users, r.clicks, r.dismissals, r.over_cap]);
        const parts = [report.length === 0 ? "no campaigns" : table(["campaign", "title", ...HEAD], totals)];
        const days = id === null ? [] : (report[0]?.days ?? []);
        if (days.length > 0) parts.push(table([`day (${timezone})`, ...HEAD], days.map((d) => [d.day, d.impressions, d.users, d.clicks, d.dismissals, d.over_cap])));
        context.print(report, parts.join("\n\n"));
      });
    });
}
