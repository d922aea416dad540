/** Reports as text: what fits into a terminal's width. */
import t from "tap";
import { bar, sparkline } from "../../dist/bars.js";
import { campaignText, overviewText } from "../../dist/cli/report-text.js";
import type { CampaignReport } from "../../dist/report/report.js";
import { cut, fit } from "../../dist/text-width.js";

const day = (n: number, impressions: number): object => ({
  day: new Date(Date.UTC(2026, 9, 1 + n)).toISOString().slice(0, 10),
  impressions,
  users: impressions,
  clicks: 0,
  dismissals: 0,
  over_cap: 0,
});
const report = (fields: Partial<CampaignReport> = {}): CampaignReport => ({
  campaign_id: 1,
  title: "Cashback",
  impressions: 1_234_567,
  users: 987_654,
  reach: 2_000_000,
  everyone_but: null,
  clicks: 98_765,
  click_rate: 0.08,
  dismissals: 12_345,
  over_cap: 4_321,
  impressions_per_user: 1.25,
  distribution: [
    { from: 1, to: 1, users: 900_000 },
    { from: 101, to: null, users: 87_654 },
  ],
  days: [day(0, 1), day(2, 8)] as CampaignReport["days"] & object,
  ...fields,
});

t.test("a title gives way, and empty days are dots", async (t) => {
  const text = overviewText(
    [
      report({ title: "A title that is much too long to be shown as a whole" }),
      report({ campaign_id: 2, title: "余暇のための長い長い題名", everyone_but: 3, reach: null }),
      report({ campaign_id: 3, days: [], reach: null }),
    ],
    "day",
    "UTC",
    80,
  );
  t.equal(
    text,
    [
      "id  title              impressions    users  clicks   rate  dismissals  over cap",
      "1   A title that is …    1,234,567  987,654  98,765  8.0 %      12,345     4,321",
      "2   余暇のための長い…    1,234,567  987,654  98,765  8.0 %      12,345     4,321",
      "3   Cashback             1,234,567  987,654  98,765  8.0 %      12,345     4,321",
      "",
      "impressions by day, 2026-10-01 to 2026-10-03 (UTC)",
      "id      reach  per user",
      "1   2,000,000      1.25  ▁·█",
      "2   all but 3      1.25  ▁·█",
    ].join("\n"),
  );
  t.match(overviewText([report({ title: "A title that is much too long to be shown" })], "day", "UTC", 120), "A title that is much too long to be shown ");
  t.equal(overviewText([], "day", "UTC", 80), "no campaigns");
});

t.test("many days share a character, and nothing is wider than the terminal", async (t) => {
  const days = Array.from({ length: 400 }, (_, n) => day(n, n)) as CampaignReport["days"] & object;
  const text = overviewText([report({ days })], "day", "America/Argentina/Buenos_Aires", 80);
  t.match(text, "impressions by 8 days, 2026-10-01 to 2027-11-04");
  for (const line of [...text.split("\n"), ...campaignText(report({ days, title: "x".repeat(120) }), "day", "America/Argentina/Buenos_Aires", 80).split("\n")])
    t.ok(line.length <= 80, line);
});

t.test("an hour that the clock goes through twice is told apart", async (t) => {
  const hours = ["2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"].map((hour) => ({
    hour,
    impressions: 1,
    users: 1,
    clicks: 0,
    dismissals: 0,
    over_cap: 0,
  }));
  const { days: _, ...rest } = report();
  const text = campaignText({ ...rest, hours }, "hour", "Europe/Berlin", 80);
  for (const name of ["2026-10-25 01:00  ", "2026-10-25 02:00+02:00  ", "2026-10-25 02:00+01:00  "]) t.match(text, `\n${name}`);
  t.match(text, "\n101 or more   87,654   8.9 %  █");
});

t.test("bars, sparklines, and text that is cut", async (t) => {
  t.same([bar(0, 8, 4), bar(1, 1_000, 4), bar(5, 8, 4), bar(8, 8, 4), bar(3, 0, 4)], ["", "▏", "██▌", "████", ""]);
  t.equal(sparkline([0, 1, 50, 100, 800, 799]), "·▁▁▁██");
  t.equal(sparkline([0, 0]), "··");
  t.same([cut("abc", 3), cut("abcd", 3), fit("ab", 4), fit("题名题名", 4)], ["abc", "ab…", "ab  ", "题… "]);
});
