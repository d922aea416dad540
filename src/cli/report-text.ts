/** A report for people at a terminal: tables with bars and sparklines. */
import { bar, sparkline } from "../bars.js";
import type { Unit } from "../report/calendar.js";
import { type CampaignReport, type Period, periodsOf } from "../report/report.js";
import { grouped, nameOf, stretchOf, valuesOf } from "../report/series.js";
import { percent, reachText, shareText } from "../report/words.js";
import { cut } from "../text-width.js";
import { table } from "./table.js";

const FEWEST_TITLE = 10;
const BAR_WIDTH = 10;
const HEAD = ["impressions", "users", "clicks", "rate", "dismissals", "over cap"];
const RIGHT = ["rate", "reach", "per user", "share"];

/** All campaigns: their totals, then how their impressions lie in time. @param width columns, 80 or more */
export function overviewText(reports: readonly CampaignReport[], unit: Unit, timezone: string, width: number): string {
  if (reports.length === 0) return "no campaigns";
  const totalsOf = (titleOf: (title: string) => string): string =>
    table(
      ["id", "title", ...HEAD],
      reports.map((r) => [String(r.campaign_id), titleOf(r.title), r.impressions, r.users, r.clicks, percent(r.click_rate), r.dismissals, r.over_cap]),
      { right: RIGHT },
    );
  const room = width - widthOf(totalsOf(() => "title")) + "title".length;
  const totals = totalsOf((title) => cut(title, Math.max(FEWEST_TITLE, room)));
  const stretch = stretchOf(reports, unit);
  if (!stretch) return totals;
  const active = reports.filter((r) => periodsOf(r).length > 0);
  const sparksOf = (lineOf: (report: CampaignReport) => string): string =>
    table(
      ["id", "reach", "per user", ""],
      active.map((r) => [String(r.campaign_id), reachText(r), perUser(r), lineOf(r)]),
      { right: RIGHT },
    );
  const most = width - widthOf(sparksOf(() => "")) - 2;
  const { size } = grouped(
    valuesOf(active[0] as CampaignReport, stretch, () => 0),
    most,
  );
  const sparks = sparksOf((r) =>
    sparkline(
      grouped(
        valuesOf(r, stretch, ({ impressions }) => impressions),
        most,
      ).values,
    ),
  );
  return `${totals}\n\nimpressions by ${size === 1 ? unit : `${size} ${unit}s`}, ${stretch.first === stretch.last ? "" : `${stretch.first} to `}${stretch.last} (${timezone})\n${sparks}`;
}

/** One campaign: its totals, its days or hours, and how often its users saw it. */
export function campaignText(report: CampaignReport, unit: Unit, timezone: string, width: number): string {
  const { distribution } = report;
  const totals = table(
    ["impressions", "users", "reach", "per user", ...HEAD.slice(2)],
    [[report.impressions, report.users, reachText(report), perUser(report), report.clicks, percent(report.click_rate), report.dismissals, report.over_cap]],
    { right: RIGHT },
  );
  const parts = [cut(`campaign ${report.campaign_id}: ${report.title}`, width), totals];
  const periods = periodsOf(report);
  const most = Math.max(0, ...periods.map(({ impressions }) => impressions));
  const rows = namesOf(periods, unit).map((name, i) => ({ name, ...(periods[i] as Period) }));
  if (rows.length > 0) {
    parts.push(
      `by ${unit} (${timezone})\n${table(
        [unit, "impressions", "users", "clicks", "dismissals", "over cap", ""],
        rows.map((p) => [p.name, p.impressions, p.users, p.clicks, p.dismissals, p.over_cap, bar(p.impressions, most, BAR_WIDTH)]),
      )}`,
    );
  }
  const mostUsers = Math.max(0, ...distribution.map(({ users }) => users));
  if (distribution.length > 0) {
    parts.push(
      `users by their impressions\n${table(
        ["impressions", "users", "share", ""],
        distribution.map((share) => [shareText(share), share.users, percent(share.users / report.users), bar(share.users, mostUsers, BAR_WIDTH)]),
        { right: RIGHT },
      )}`,
    );
  }
  return parts.join("\n\n");
}

/** Hours without their offset, but for those that a day has twice. */
function namesOf(periods: readonly Period[], unit: Unit): string[] {
  if (unit === "day") return periods.map(nameOf);
  const short = periods.map((period) => nameOf(period).slice(0, 16).replace("T", " "));
  return short.map((name, i) => (short.indexOf(name) === short.lastIndexOf(name) ? name : `${name}${nameOf(periods[i] as Period).slice(19)}`));
}

const perUser = (report: CampaignReport): string => report.impressions_per_user?.toFixed(2) ?? "–";
const widthOf = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));
