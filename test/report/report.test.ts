/** Reports: what is counted, in which day or hour, and how the figures are told. */
import t from "tap";
import type { PopupEvent } from "../../dist/event.js";
import { IdSet } from "../../dist/id-set.js";
import { reportCsv } from "../../dist/report/csv.js";
import { reportPage } from "../../dist/report/page.js";
import { type CampaignReport, type ReportAsk, reportOf } from "../../dist/report/report.js";
import { createCampaign, deleteCampaign } from "../../dist/store/campaign-changes.js";
import type { Store } from "../../dist/store/store.js";
import { campaignInput } from "../helpers/engine.js";
import { testStore } from "../helpers/store.js";

const ALWAYS: ReportAsk = { id: null, from: 0, to: Number.MAX_SAFE_INTEGER, by: "day", timezone: "UTC" };
const utc = (text: string): number => Date.parse(text);
let number = 0;
const event = (fields: Partial<PopupEvent> = {}): PopupEvent => ({
  type: "impression",
  campaignId: 1,
  userId: "7",
  impressionId: `i-${number++}`,
  at: utc("2026-06-10T12:00:00Z"),
  overCap: false,
  sessionId: null,
  ...fields,
});
const report = (store: Store, ask: Partial<ReportAsk> = {}): CampaignReport[] => reportOf(store, { ...ALWAYS, ...ask });

t.test("the report counts showings, people, reactions and what was over a cap", async (t) => {
  const { store } = testStore(t);
  const { id } = createCampaign(store, campaignInput({ title: "First" }));
  const { id: quiet } = createCampaign(store, campaignInput({ title: "Quiet", target: "users" }));
  const mine = (fields: Partial<PopupEvent>): PopupEvent => event({ campaignId: id, ...fields });
  store.events.write([
    mine({}),
    mine({}),
    mine({ userId: "8" }),
    mine({ userId: "9", overCap: true }),
    mine({ type: "click" }),
    mine({ type: "dismiss", userId: "8" }),
    mine({ type: "dismiss", userId: "9" }),
    event({ campaignId: 77 }),
  ]);
  const none = { impressions: 0, users: 0, clicks: 0, dismissals: 0, over_cap: 0 };
  const totals = { impressions: 3, users: 2, clicks: 1, dismissals: 2, over_cap: 1 };
  const gone = { impressions: 1, users: 1, clicks: 0, dismissals: 0, over_cap: 0 };
  t.same(report(store), [
    {
      campaign_id: id,
      title: "First",
      ...totals,
      reach: null,
      everyone_but: 0,
      click_rate: 0.3333,
      impressions_per_user: 1.5,
      distribution: [
        { from: 1, to: 1, users: 1 },
        { from: 2, to: 2, users: 1 },
      ],
      days: [{ day: "2026-06-10", ...totals }],
    },
    { campaign_id: quiet, title: "Quiet", ...none, reach: 0, everyone_but: null, click_rate: null, impressions_per_user: null, distribution: [], days: [] },
    {
      campaign_id: 77,
      title: "(not in this store)",
      ...gone,
      reach: null,
      everyone_but: null,
      click_rate: 0,
      impressions_per_user: 1,
      distribution: [{ from: 1, to: 1, users: 1 }],
      days: [{ day: "2026-06-10", ...gone }],
    },
  ]);
  t.match(report(store, { id: quiet }), [{ campaign_id: quiet }]);
  t.same(report(store, { id: 99 }), []);
  deleteCampaignEnded(store, quiet);
  t.same(
    report(store).map((r) => r.campaign_id),
    [id, 77],
    "without an event nothing is left of a deleted campaign",
  );
});

function deleteCampaignEnded(store: Store, id: number): void {
  store.campaigns.update(id, { ...store.campaigns.get(id), status: "ended" }, "test");
  deleteCampaign(store, id);
}

t.test("reach is whom the target means now", async (t) => {
  const { store } = testStore(t);
  const put = (name: string, ids: readonly string[]): void => {
    const set = new IdSet();
    for (const id of ids) set.add(id);
    store.transaction(() => store.audiences.replace({ kind: "segment", name }, set, "auto", "test"));
  };
  put("payroll", ["1", "2", "3", "cust-7"]);
  put("staff", ["3", "4"]);
  for (const target of ["segment:payroll", "segment:payroll & !segment:staff", "!segment:staff", "all"]) createCampaign(store, campaignInput({ target }));
  t.same(
    report(store).map(({ reach, everyone_but }) => [reach, everyone_but]),
    [
      [4, null],
      [3, null],
      [null, 2],
      [null, 0],
    ],
  );
});

t.test("users by how often they have seen it", async (t) => {
  const { store } = testStore(t);
  const seen = [1, 1, 2, 3, 4, 5, 6, 10, 11, 51, 100, 101, 250];
  store.events.write(seen.flatMap((times, user) => Array.from({ length: times }, () => event({ userId: user % 2 ? String(user) : `u${user}` }))));
  const [found] = report(store);
  t.same(
    found?.distribution.map(({ from, to, users }) => [from, to, users]),
    [
      [1, 1, 2],
      [2, 2, 1],
      [3, 3, 1],
      [4, 5, 2],
      [6, 10, 2],
      [11, 20, 1],
      [21, 50, 0],
      [51, 100, 2],
      [101, null, 2],
    ],
  );
  t.equal(found?.users, seen.length);
  t.equal(found?.impressions_per_user, 41.92, "of 545 impressions");
});

t.test("a user is one of each day and hour that they were seen in", async (t) => {
  const { store } = testStore(t);
  store.events.write(
    ["2026-06-10T10:00:00Z", "2026-06-10T10:59:59Z", "2026-06-10T11:00:00Z", "2026-06-11T10:00:00Z", "2026-06-10T10:30:00Z"].map((time) =>
      event({ at: utc(time) }),
    ),
  );
  store.events.write([event({ userId: "8", at: utc("2026-06-10T10:15:00Z") }), event({ userId: "007", at: utc("2026-06-10T10:15:00Z") })]);
  t.match(
    report(store),
    [
      {
        users: 3,
        days: [
          { day: "2026-06-10", impressions: 6, users: 3 },
          { day: "2026-06-11", impressions: 1, users: 1 },
        ],
      },
    ],
    "007 is not 7",
  );
  t.same(
    report(store, { by: "hour" })[0]?.hours?.map(({ hour, impressions, users }) => [hour, impressions, users]),
    [
      ["2026-06-10T10:00:00Z", 5, 3],
      ["2026-06-10T11:00:00Z", 1, 1],
      ["2026-06-11T10:00:00Z", 1, 1],
    ],
  );
});

t.test("from is inside, to is not", async (t) => {
  const { store } = testStore(t);
  store.events.write([event({ at: 999 }), event({ at: 1_000 }), event({ at: 1_999 }), event({ at: 2_000 })]);
  t.match(report(store, { id: 1, from: 1_000, to: 2_000 }), [{ impressions: 2, days: [{ impressions: 2 }] }]);
  t.match(report(store, { id: 1, from: 5_000, to: 6_000 }), [{ impressions: 0, users: 0, days: [] }]);
});

t.test("days and hours are those of the zone, daylight saving included", async (t) => {
  const { store } = testStore(t);
  store.events.write(["2026-06-10T16:59:59Z", "2026-06-10T17:00:00Z", "2026-06-11T16:59:59Z"].map((time) => event({ at: utc(time) })));
  const days = (id: number, timezone: string): unknown => report(store, { id, timezone })[0]?.days?.map(({ day, impressions }) => [day, impressions]);
  t.same(days(1, "Asia/Jakarta"), [
    ["2026-06-10", 1],
    ["2026-06-11", 2],
  ]);
  t.same(days(1, "UTC"), [
    ["2026-06-10", 2],
    ["2026-06-11", 1],
  ]);
  // The 25 hours of 2026-10-25 in Berlin, and the moments before and after.
  store.events.write(
    ["2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"].map((time) => event({ campaignId: 2, at: utc(time) })),
  );
  t.same(days(2, "Europe/Berlin"), [
    ["2026-10-24", 1],
    ["2026-10-25", 2],
    ["2026-10-26", 1],
  ]);

  // An event every 15 minutes of that day, of a day with 23 hours, and of a common one.
  const every = (id: number, from: string, to: string): void =>
    void store.events.write(Array.from({ length: (utc(to) - utc(from)) / 900_000 }, (_, n) => event({ campaignId: id, at: utc(from) + n * 900_000 })));
  every(3, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
  every(4, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
  every(5, "2026-06-10T18:15:00Z", "2026-06-11T18:15:00Z");
  every(6, "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z");
  const hours = (id: number, timezone: string): [string, number][] =>
    (report(store, { id, timezone, by: "hour" })[0]?.hours ?? []).map(({ hour = "", impressions }) => [hour, impressions]);
  const long = hours(3, "Europe/Berlin");
  t.equal(long.length, 25);
  t.same(long.slice(1, 5), [
    ["2026-10-25T01:00:00+02:00", 4],
    ["2026-10-25T02:00:00+02:00", 4],
    ["2026-10-25T02:00:00+01:00", 4],
    ["2026-10-25T03:00:00+01:00", 4],
  ]);
  const short = hours(4, "Europe/Berlin");
  t.equal(short.length, 23);
  t.same(short.slice(1, 3), [
    ["2026-03-29T01:00:00+01:00", 4],
    ["2026-03-29T03:00:00+02:00", 4],
  ]);
  const quarter = hours(5, "Asia/Kathmandu");
  t.same([quarter.length, quarter[0], quarter.at(-1)], [24, ["2026-06-11T00:00:00+05:45", 4], ["2026-06-11T23:00:00+05:45", 4]], "a zone that is 5:45 ahead");
  t.same(
    hours(6, "Australia/Lord_Howe")
      .map(([, n]) => n)
      .filter((n) => n !== 4),
    [6],
    "a clock that goes back by half an hour: one hour of 90 minutes",
  );
  for (const [id, timezone, counts] of [
    [3, "Europe/Berlin", 100],
    [4, "Europe/Berlin", 92],
    [5, "Asia/Kathmandu", 96],
    [6, "Australia/Lord_Howe", 98],
  ] as const)
    t.match(report(store, { id, timezone }), [{ days: [{ impressions: counts }] }], timezone);
});

t.test("CSV: totals, or days; quoted as RFC 4180 says", async (t) => {
  const { store } = testStore(t);
  const { id } = createCampaign(store, campaignInput({ title: 'Say "yes", now' }));
  store.events.write([event({ campaignId: id }), event({ campaignId: id, type: "click", at: utc("2026-06-11T12:00:00Z") })]);
  t.equal(
    reportCsv(report(store), null),
    'campaign_id,title,impressions,users,reach,clicks,click_rate,dismissals,over_cap,impressions_per_user\n1,"Say ""yes"", now",1,1,,1,1,0,0,1',
  );
  t.equal(
    reportCsv(report(store), "day"),
    'campaign_id,title,day,impressions,users,clicks,dismissals,over_cap\n1,"Say ""yes"", now",2026-06-10,1,1,0,0,0\n1,"Say ""yes"", now",2026-06-11,0,0,1,0,0',
  );
  t.match(reportCsv(report(store, { by: "hour" }), "hour"), /^campaign_id,title,hour,.*\n1,"Say ""yes"", now",2026-06-10T12:00:00Z,1,/);
});

t.test("the page needs nothing but itself, escapes what it shows, and has a chart with the days between", async (t) => {
  const { store } = testStore(t);
  const { id } = createCampaign(store, campaignInput({ title: "<script>alert(1)</script>" }));
  createCampaign(store, campaignInput({ title: "Quiet" }));
  store.events.write(["2026-06-10T12:00:00Z", "2026-06-13T12:00:00Z", "2026-06-13T13:00:00Z"].map((time) => event({ campaignId: id, at: utc(time) })));
  const page = reportPage(report(store), ALWAYS, "1.2.3");
  t.notMatch(page, "<script");
  t.notMatch(page, /(?:src|href)=|url\(|@import/);
  t.match(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
  t.match(page, "All events: 2026-06-10 to 2026-06-13 (UTC)");
  for (const note of ["2026-06-10: 1 impressions, 0 clicks", "2026-06-11: 0 impressions, 0 clicks", "2026-06-13: 2 impressions, 0 clicks"])
    t.match(page, `<title>${note}</title>`);
  t.equal(page.split("<figure>").length - 1, 1, "a chart for each campaign with events");
  t.match(reportPage(report(store, { id: 2 }), { ...ALWAYS, id: 2 }, "1.2.3"), "No events yet");
});
