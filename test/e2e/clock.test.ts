/** Caps and windows over HTTP as the clock moves: midnights, weeks, months, changes of the clocks, sessions, starts and ends. */

import type { Test } from "tap";
import t from "tap";
import { updateCampaign } from "../../dist/store/campaign-changes.js";
import { startEngine } from "../helpers/engine.js";

const engine = await startEngine(t);
let users = 0;

/** Publishes one campaign alone, in the zone; gives back what a new user does with it. */
async function only(
  timezone: string,
  fields: Record<string, unknown>,
): Promise<{ id: number; shown: (at: string, session?: string) => Promise<boolean>; count: (at: string, session?: string) => Promise<boolean> }> {
  for (const { id, status } of engine.store.campaigns.list()) if (status === "active") updateCampaign(engine.store, id, { status: "ended" });
  engine.store.settings.set("timezone", timezone);
  const id = engine.campaign(fields);
  await engine.publish();
  const user = `u${++users}`;
  let reports = 0;
  return {
    id,
    shown: async (at, session) => {
      engine.at(at);
      return (await engine.popup(user, session))?.campaign_id === id;
    },
    count: async (at, session) => {
      engine.at(at);
      const answer = await engine.report("impression", id, {
        user_id: user,
        impression_id: `r${++reports}`,
        ...(session === undefined ? {} : { session_id: session }),
      });
      return (answer.json as { counted: boolean }).counted;
    },
  };
}

/** Shown and counted at `first`, closed at `before`, open at `from`. */
async function opensAt(t: Test, timezone: string, cap: string, first: string, before: string, from: string): Promise<void> {
  const { shown, count } = await only(timezone, { caps: [cap] });
  t.ok(await shown(first), `${cap} ${timezone}: shown at ${first}`);
  t.ok(await count(first), "and counted");
  t.notOk(await shown(first), "then closed");
  t.notOk(await shown(before), `still closed at ${before}`);
  t.notOk(await count(before), "for reports too");
  t.ok(await shown(from), `open at ${from}`);
  t.ok(await count(from), "for reports too");
  t.notOk(await shown(from), "and closed again");
}

t.test("a day ends at the zone's midnight", async (t) => {
  await opensAt(t, "UTC", "1/day", "2026-06-10T00:00:00.000Z", "2026-06-10T23:59:59.999Z", "2026-06-11T00:00:00.000Z");
  await opensAt(t, "Asia/Jakarta", "1/day", "2026-06-10T00:00:00.000+07:00", "2026-06-10T23:59:59.999+07:00", "2026-06-11T00:00:00.000+07:00");
  await opensAt(t, "Asia/Jakarta", "1/day", "2026-06-10T17:00:00.000Z", "2026-06-11T16:59:59.999Z", "2026-06-11T17:00:00.000Z");
});

t.test("a week begins on Monday", async (t) => {
  await opensAt(t, "Asia/Jakarta", "1/week", "2026-06-08T00:00:00+07:00", "2026-06-14T23:59:59.999+07:00", "2026-06-15T00:00:00+07:00");
  await opensAt(t, "Europe/Berlin", "1/week", "2026-12-28T00:00:00+01:00", "2027-01-03T23:59:59.999+01:00", "2027-01-04T00:00:00+01:00");
});

t.test("a month has its own length", async (t) => {
  await opensAt(t, "Asia/Jakarta", "1/month", "2026-02-01T00:00:00+07:00", "2026-02-28T23:59:59.999+07:00", "2026-03-01T00:00:00+07:00");
  await opensAt(t, "UTC", "1/month", "2028-02-01T00:00:00Z", "2028-02-29T23:59:59.999Z", "2028-03-01T00:00:00Z");
  await opensAt(t, "Europe/Berlin", "1/month", "2026-12-31T23:59:59.999+01:00", "2026-12-31T23:59:59.999+01:00", "2027-01-01T00:00:00+01:00");
});

t.test("days of 23 and of 25 hours where the clocks change", async (t) => {
  await opensAt(t, "Europe/Berlin", "1/day", "2026-03-29T00:00:00+01:00", "2026-03-29T23:59:59.999+02:00", "2026-03-30T00:00:00+02:00");
  await opensAt(t, "Europe/Berlin", "1/day", "2026-10-25T00:00:00+02:00", "2026-10-25T23:59:59.999+01:00", "2026-10-26T00:00:00+01:00");
  // 24 hours after the long day's beginning it is 23:00 of the same day.
  await opensAt(t, "Europe/Berlin", "1/day", "2026-10-25T00:00:00+02:00", "2026-10-25T23:00:00+01:00", "2026-10-26T00:00:00+01:00");
  await opensAt(t, "Europe/Berlin", "1/week", "2026-03-23T00:00:00+01:00", "2026-03-29T23:59:59.999+02:00", "2026-03-30T00:00:00+02:00");
  await opensAt(t, "Europe/Berlin", "1/month", "2026-10-01T00:00:00+02:00", "2026-10-31T23:59:59.999+01:00", "2026-11-01T00:00:00+01:00");
  // The hour that comes twice is one calendar day, and two hours of a rolling window.
  await opensAt(t, "Europe/Berlin", "1/1h", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00.001+01:00");
});

t.test("rolling windows and cool-downs reach back exactly their length", async (t) => {
  for (const [cap, ms] of [
    ["1/30s", 30_000],
    ["1/15m", 900_000],
    ["1/6h", 21_600_000],
    ["1/7d", 604_800_000],
  ] as const) {
    const first = Date.parse("2026-03-28T12:00:00.500Z");
    const iso = (after: number): string => new Date(first + after).toISOString();
    await opensAt(t, "Europe/Berlin", cap, iso(0), iso(ms), iso(ms + 1));
  }
  const { shown, count } = await only("UTC", { caps: ["2/1h"] });
  t.ok(await count("2026-06-10T12:00:00Z"));
  t.ok(await count("2026-06-10T12:40:00Z"));
  t.notOk(await shown("2026-06-10T13:00:00Z"));
  t.ok(await shown("2026-06-10T13:00:00.001Z"), "one of two has left the window");
  t.ok(await count("2026-06-10T13:00:00.001Z"));
  t.notOk(await shown("2026-06-10T13:40:00Z"), "now the second and third hold it closed");
  t.ok(await shown("2026-06-10T13:40:00.001Z"));
});

t.test("several caps hold together", async (t) => {
  const { shown, count } = await only("Asia/Jakarta", { caps: ["1/day", "2/week", "3/total"] });
  t.ok(await count("2026-06-08T09:00:00+07:00"));
  t.notOk(await shown("2026-06-08T23:00:00+07:00"), "the day");
  t.ok(await count("2026-06-09T09:00:00+07:00"));
  t.notOk(await shown("2026-06-10T09:00:00+07:00"), "the week");
  t.ok(await count("2026-06-15T09:00:00+07:00"));
  t.notOk(await shown("2027-06-15T09:00:00+07:00"), "the total");
});

t.test("a session cap belongs to the session that is named", async (t) => {
  const { shown, count } = await only("UTC", { caps: ["1/session"] });
  const now = "2026-06-10T12:00:00Z";
  t.ok(await shown(now, "s1"));
  t.ok(await count(now, "s1"));
  t.notOk(await shown(now, "s1"));
  t.notOk(await shown("2026-06-10T23:00:00Z", "s1"), "as long as it lasts");
  t.ok(await shown(now, "s2"), "another login");
  t.ok(await shown(now, "s"), "a session whose name begins the same");
  t.ok(await shown(now), "and a request that names none");
  t.ok(await count(now, "s2"));
  t.notOk(await shown(now, "s2"));
  t.notOk(await shown(now, "s1"), "the first is still closed");
});

t.test("shown from the start on, and no more at the end", async (t) => {
  const { id, shown, count } = await only("Asia/Jakarta", { start_time: "2026-06-10T09:00", end_time: "2026-06-20T18:00" });
  t.notOk(await shown("2026-06-10T01:59:59.999Z"));
  t.ok(await shown("2026-06-10T02:00:00.000Z"), "a local time is in the setting timezone");
  t.ok(await shown("2026-06-20T10:59:59.999Z"));
  t.notOk(await shown("2026-06-20T11:00:00.000Z"));
  t.ok(await count("2026-06-20T11:00:05Z"), "a report may come late");
  engine.at("2026-06-27T10:59:59.999Z");
  await engine.publish();
  t.ok(await count("2026-06-27T10:59:59.999Z"), "for seven days");
  engine.at("2026-06-27T11:00:00Z");
  await engine.publish();
  t.equal((await engine.report("impression", id, { user_id: "late" })).status, 404, "and no longer");
});

t.test("the policy over all popups follows the calendar too", async (t) => {
  engine.store.settings.set("user_caps", "1/30m,2/day");
  const { shown, count } = await only("Europe/Berlin", {});
  t.ok(await count("2026-10-25T00:10:00+02:00"));
  t.notOk(await shown("2026-10-25T00:40:00+02:00"));
  t.ok(await count("2026-10-25T00:40:00.001+02:00"));
  t.notOk(await shown("2026-10-25T23:59:59.999+01:00"), "two in this day of 25 hours");
  t.ok(await shown("2026-10-26T00:00:00+01:00"));
  engine.store.settings.set("user_caps", "");
});
