/** A report as one HTML page that needs nothing but itself: the totals of all campaigns, then each campaign along time. */
import { type Chart, chartOf } from "../html/chart.js";
import { Markup, markup } from "../html/markup.js";
import { linear } from "../html/scale.js";
import { BARS, STYLE } from "../html/style.js";
import { tableOf } from "../html/table.js";
import { formatTime } from "../time.js";
import { type CampaignReport, periodsOf, type ReportAsk, ratio } from "./report.js";
import { grouped, nameAt, nameOf, type Stretch, stretchOf, valuesOf } from "./series.js";
import { number, percent, reachText, shareText } from "./words.js";

const OWN = `
details { margin: 0 0 14px; } summary { cursor: pointer; color: var(--soft); font-size: .9rem; padding: 4px 0 8px; }
.bars { margin: 0 0 14px; } .bars h3 { margin: 0 0 4px; font-size: .95rem; }
.totals th, .totals td { padding-left: 9px; padding-right: 9px; } .totals td:nth-child(2) { white-space: normal; overflow-wrap: anywhere; min-width: 7rem; }
@media (min-width: 721px) { .tiles { grid-template-columns: repeat(auto-fit, minmax(112px, 1fr)); } }
@media print { figure, .bars, tr { break-inside: avoid; } h2 { break-after: avoid; } body { background: none; } main { max-width: none; padding: 0; } }
`;
/** More points than this are no more to be seen, only a larger page. */
const MOST_POINTS = 200;
const TOTALS_HEAD = ["id", "title", "impressions", "users", "reach", "per user", "clicks", "click rate", "dismissals", "over cap"];

/** @param version of the engine, for the foot of the page */
export function reportPage(reports: readonly CampaignReport[], ask: ReportAsk, version: string): string {
  const { timezone, by } = ask;
  const stretch = stretchOf(reports, by);
  const [only] = reports;
  const title = ask.id !== null && only ? only.title : "Campaigns";
  const active = reports.filter((report) => periodsOf(report).length > 0);
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Report: ${title}</title><style>${new Markup(STYLE + BARS + OWN)}</style></head>
<body><main>
<h1>${title}</h1>
<p class="lead">${ask.id === null ? "" : `Campaign ${ask.id}. `}${rangeText(ask, stretch)} (${timezone})</p>
${tiles(reports)}
<h2>Totals</h2>
<div class="totals">${tableOf(
    TOTALS_HEAD,
    reports.map((r) => [
      String(r.campaign_id),
      r.title,
      r.impressions,
      r.users,
      reachText(r),
      r.impressions_per_user?.toFixed(2) ?? "–",
      r.clicks,
      percent(r.click_rate),
      r.dismissals,
      r.over_cap,
    ]),
  )}</div>
${stretch === null ? "" : active.map((report) => campaignOf(report, stretch, timezone))}
<footer>Users are distinct users with a counted impression; of several campaigns they cannot be added up. Reach is whom the target means now. Made by popup report ${version}; times are in ${timezone}.</footer>
</main></body></html>
`;
  return page.text;
}

function rangeText({ from, to, timezone }: ReportAsk, stretch: Stretch | null): string {
  const told = (ms: number): string => formatTime(ms, timezone).slice(0, 16).replace("T", " ");
  const asked = [...(from > 0 ? [`from ${told(from)}`] : []), ...(to < Number.MAX_SAFE_INTEGER ? [`until ${told(to)}`] : [])].join(" ");
  if (stretch === null) return asked === "" ? "No events yet" : `No events ${asked}`;
  const [first, last] = [stretch.first, stretch.last].map((name) => name.slice(0, 16).replace("T", " "));
  const there = first === last ? first : `${first} to ${last}`;
  return asked === "" ? `All events: ${there}` : `Events ${asked}`;
}

function tiles(reports: readonly CampaignReport[]): Markup {
  const sum = (figure: (report: CampaignReport) => number): number => reports.reduce((total, report) => total + figure(report), 0);
  const tile = (name: string, value: string): Markup => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const [impressions, clicks] = [sum((r) => r.impressions), sum((r) => r.clicks)];
  const [only] = reports;
  const first =
    reports.length === 1 && only ? [tile("users", number(only.users)), tile("reach", reachText(only))] : [tile("campaigns", number(reports.length))];
  return markup`<dl class="tiles">${[
    tile("impressions", number(impressions)),
    ...first,
    tile("clicks", number(clicks)),
    tile("click rate", percent(ratio(clicks, impressions, 10_000))),
    tile("dismissals", number(sum((r) => r.dismissals))),
    tile("over cap", number(sum((r) => r.over_cap))),
  ]}</dl>`;
}

function campaignOf(report: CampaignReport, stretch: Stretch, timezone: string): Markup {
  const { unit } = stretch;
  const most = Math.max(1, ...report.distribution.map(({ users }) => users));
  const shares = report.distribution.map(
    (share) => markup`<div class="bar"><span class="name">${shareText(share)} <small>${share.to === 1 ? "impression" : "impressions"}</small></span>
<span class="track" role="img" aria-label="${number(share.users)} users"><i style="width:${((100 * share.users) / most).toFixed(2)}%"></i></span>
<span class="figures">${number(share.users)} <small>${percent(share.users / report.users)}</small></span></div>`,
  );
  return markup`<h2>${report.campaign_id} ${report.title}</h2>
${chartOf(timeChart(report, stretch, timezone))}
${shares.length === 0 ? "" : markup`<div class="bars"><h3>Users by their impressions</h3>${shares}</div>`}
<details><summary>Every ${unit} as a table</summary>
${tableOf(
  [unit, "impressions", "users", "clicks", "dismissals", "over cap"],
  periodsOf(report).map((p) => [nameOf(p), p.impressions, p.users, p.clicks, p.dismissals, p.over_cap]),
)}
</details>`;
}

function timeChart(report: CampaignReport, stretch: Stretch, timezone: string): Chart {
  const { unit } = stretch;
  const impressions = grouped(
    valuesOf(report, stretch, (period) => period.impressions),
    MOST_POINTS,
  );
  const clicks = grouped(
    valuesOf(report, stretch, (period) => period.clicks),
    MOST_POINTS,
  );
  const { size } = impressions;
  const name = (point: number): string => nameAt(stretch, point * size, timezone);
  const last = impressions.values.length - 1;
  const points = (values: readonly number[]): { x: number; y: number }[] => values.map((y, x) => ({ x, y }));
  const all = impressions.values.map((_, point) => point);
  const midnights = all.filter((point) => name(point).slice(11, 13) === "00");
  // Of a few hours their own names, of many those of the days.
  const ticks = unit === "hour" && midnights.length > 2 ? midnights : all;
  const label = (point: number): string => (unit === "hour" && midnights.length <= 2 ? name(point).slice(11, 16) : name(point).slice(5, 10));
  return {
    title: `Impressions and clicks by ${size === 1 ? unit : `${size} ${unit}s`}`,
    description: `Impressions and clicks of ${report.title} over time`,
    x: { name: size === 1 ? unit : `${unit}, the first of ${size}`, scale: { place: (point) => (last === 0 ? 0.5 : point / last), ticks }, label },
    y: { name: "", scale: linear(Math.max(1, ...impressions.values, ...clicks.values), 5), label: (value) => (Number.isInteger(value) ? number(value) : "") },
    series: [
      { name: "impressions", color: "get", filled: true, points: points(impressions.values) },
      { name: "clicks", color: "post", points: points(clicks.values) },
    ],
    notes: all.map((x) => ({ x, text: `${name(x)}: ${number(impressions.values[x] ?? 0)} impressions, ${number(clicks.values[x] ?? 0)} clicks` })),
  };
}
