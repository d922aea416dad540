/** A report as CSV: a row for each campaign, or for each of its days or hours. */
import { formatCsv } from "../csv.js";
import type { Unit } from "./calendar.js";
import { type CampaignReport, periodsOf } from "./report.js";

const TOTALS = ["campaign_id", "title", "impressions", "users", "reach", "clicks", "click_rate", "dismissals", "over_cap", "impressions_per_user"] as const;
const COUNTS = ["impressions", "users", "clicks", "dismissals", "over_cap"] as const;

/** @param by null for a row per campaign */
export function reportCsv(reports: readonly CampaignReport[], by: Unit | null): string {
  if (by === null)
    return formatCsv(
      TOTALS,
      reports.map((report) => TOTALS.map((name) => report[name])),
    );
  return formatCsv(
    ["campaign_id", "title", by, ...COUNTS],
    reports.flatMap((report) => periodsOf(report).map((period) => [report.campaign_id, report.title, period[by], ...COUNTS.map((name) => period[name])])),
  );
}
