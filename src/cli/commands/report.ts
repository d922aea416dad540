/** `popup report` */
import { type Command, Option } from "commander";
import { parseCampaignId } from "../../campaign.js";
import { invalid } from "../../errors.js";
import type { Unit } from "../../report/calendar.js";
import type { ReportAsk } from "../../report/report.js";
import { VERSION } from "../../version.js";
import { contextOf, withStore } from "../context.js";
import { writePage } from "../page-file.js";
import { parsePeriod } from "../period.js";

interface Flags {
  from?: string;
  to?: string;
  by?: Unit;
  csv?: boolean;
  html?: string;
}

/** Narrower terminals wrap. */
const LEAST_WIDTH = 80;

export function reportCommand(program: Command): void {
  program
    .command("report")
    .description("impressions, users, reach, clicks, dismissals and what was over a cap; of one campaign also day by day")
    .argument("[id]", "campaign id")
    .option("--from <time>", "from this time on")
    .option("--to <time>", "until just before this time")
    .addOption(new Option("--by <unit>", "days or hours of the setting timezone (default: day)").choices(["day", "hour"]))
    .option("--csv", "as CSV: a row per campaign; with --by, a row per campaign and day or hour")
    .option("--html <file>", "also as a page with charts")
    .addHelpText(
      "after",
      "\nExamples:\n  popup report\n  popup report 7 --from 2026-11-01 --to 2026-12-01 --html november.html\n  popup report --by hour --from 2026-11-23 --csv > hours.csv",
    )
    .action((text: string | undefined, flags: Flags, command: Command) => {
      const context = contextOf(command);
      if (flags.csv === true && context.json) throw invalid("--csv", "is given together with --json", "ask for one of them");
      return withStore(context, async (store) => {
        const [{ reportOf }, { reportCsv }, { reportPage }, { campaignText, overviewText }] = await Promise.all([
          import("../../report/report.js"),
          import("../../report/csv.js"),
          import("../../report/page.js"),
          import("../report-text.js"),
        ]);
        const id = text === undefined ? null : parseCampaignId(text);
        const timezone = store.settings.get("timezone");
        const { from, to } = parsePeriod(flags, timezone);
        const ask: ReportAsk = { id, from, to, by: flags.by ?? "day", timezone };
        const reports = reportOf(store, ask);
        // A campaign without a single event is in the report with zeros; one that does not exist is an error.
        if (id !== null && reports.length === 0) store.campaigns.get(id);
        if (flags.html !== undefined) writePage(flags.html, reportPage(reports, ask, VERSION));
        const [one] = reports;
        const width = Math.max(LEAST_WIDTH, process.stdout.columns ?? 0);
        context.print(
          reports,
          flags.csv === true
            ? reportCsv(reports, flags.by ?? null)
            : id !== null && one
              ? campaignText(one, ask.by, timezone, width)
              : overviewText(reports, ask.by, timezone, width),
        );
      });
    });
}
