/** Rollups hold what the events are, whatever was written how: reports from them are compared with SQL over the events. */

import Database from "better-sqlite3";
import t from "tap";
import { EVENT_TYPES, type PopupEvent } from "../../dist/event.js";
import { ColumnsBuilder, columnsFromBytes, columnsToBytes } from "../../dist/event-columns.js";
import { type CampaignReport, reportOf } from "../../dist/report/report.js";
import { openStore, type Store } from "../../dist/store/store.js";
import { retryDead } from "../../dist/worker/retry.js";
import { Random, seedOfRun } from "../helpers/random.js";
import { testStore } from "../helpers/store.js";

type Totals = Pick<CampaignReport, "campaign_id" | "impressions" | "users" | "clicks" | "dismissals" | "over_cap">;
const SPAN = [Date.parse("2026-10-20T00:00:00Z"), Date.parse("2026-11-02T00:00:00Z")] as const;
const ALWAYS = [0, Number.MAX_SAFE_INTEGER] as const;

/** An event of few users and few names, so that many come twice. */
function randomEvent(random: Random): PopupEvent {
  const user = random.between(0, 400);
  return {
    type: random.pick(EVENT_TYPES),
    campaignId: random.between(1, 4),
    userId: random.pick([String(user), `cust-${user}`, `00${user}`, String(4_294_967_000 + user)]),
    impressionId: `i-${random.between(1, 60)}`,
    at: random.between(SPAN[0], SPAN[1]),
    overCap: random.chance(0.1),
    sessionId: null,
  };
}

/** What SQL says of the events, in the report's words. */
function recomputed(path: string, from: number, to: number): unknown[] {
  const db = new Database(path, { readonly: true });
  try {
    return db
      .prepare(`SELECT campaign_id,
        count(*) FILTER (WHERE type = 'impression' AND over_cap = 0) AS impressions, count(DISTINCT user_id) FILTER (WHERE type = 'impression' AND over_cap = 0) AS users,
        count(*) FILTER (WHERE type = 'click') AS clicks, count(*) FILTER (WHERE type = 'dismiss') AS dismissals, count(*) FILTER (WHERE type = 'impression' AND over_cap = 1) AS over_cap
      FROM events WHERE at >= ? AND at < ? GROUP BY campaign_id ORDER BY campaign_id`)
      .all(from, to);
  } finally {
    db.close();
  }
}

const reported = (store: Store, from: number, to: number): CampaignReport[] =>
  reportOf(store, { id: null, from, to, by: "day", timezone: "Europe/Berlin" }).filter((r) => r.impressions + r.clicks + r.dismissals + r.over_cap > 0);
const totals = (reports: readonly CampaignReport[]): Totals[] =>
  reports.map(({ campaign_id, impressions, users, clicks, dismissals, over_cap }) => ({ campaign_id, impressions, users, clicks, dismissals, over_cap }));

t.test("after random batches with duplicates, refused and dead events, rollups say what SQL says of the events", async (t) => {
  const seed = seedOfRun();
  t.comment(`POPUP_SEED=${seed}`);
  const random = new Random(seed);
  const { store, path } = testStore(t);
  const rolled = (): number => {
    const db = new Database(path, { readonly: true });
    const sum = Number(db.prepare("SELECT coalesce(sum(length(events)), 0) / 13 FROM rollups").pluck().get());
    db.close();
    return sum;
  };
  for (let round = 0; round < 7; round++) {
    const batch = Array.from({ length: 22_000 }, () => randomEvent(random));
    batch.splice(random.between(0, batch.length), 0, { ...randomEvent(random), type: "nonsense" } as unknown as PopupEvent);
    store.events.write(batch, [], undefined, () => undefined);
    const wrong = { ...randomEvent(random), type: "nonsense" } as unknown as PopupEvent;
    t.throws(() => store.events.write([randomEvent(random), wrong]), /CHECK/, "a batch that is undone");
    const fields = ["e", `impression 1 late-${round} i-${round} ${SPAN[0]} 0 `];
    store.events.write([], [{ streamId: `${round}-1`, reason: "x", fields }]);
    retryDead(store, store.deadEvents.list());
    const from = random.between(SPAN[0], SPAN[1] - 1);
    for (const [a, b] of [ALWAYS, [from, random.between(from + 1, SPAN[1])] as const])
      t.same(totals(reported(store, a, b)), recomputed(path, a, b), `round ${round}, ${rolled()} of the events rolled up`);
  }
  t.ok(rolled() > 0, "some are rolled up");
  const events = totals(reported(store, ...ALWAYS)).reduce(
    (sum: number, { impressions, clicks, dismissals, over_cap }) => sum + impressions + clicks + dismissals + over_cap,
    0,
  );
  t.ok(rolled() < events, "and some wait");
  const users = new Set<string>();
  for (const user of store.events.userIds()) if (store.events.ofUser(user).some((event) => event.campaignId === 3)) users.add(user);
  t.same(new Set(store.rollups.usersOf(3)), users, "and who has an event of a campaign");
});

t.test("a store of before the rollups: reports are right at once, and it gets them with the next events", async (t) => {
  const { store, path } = testStore(t);
  const random = new Random(8);
  const before = new Database(path);
  // As an engine without rollups has left it.
  const insert = before.prepare("INSERT INTO events (type, campaign_id, user_id, impression_id, at, over_cap) VALUES (?, ?, ?, ?, ?, 0)");
  before.transaction(() => {
    for (let n = 0; n < 60_000; n++)
      insert.run("impression", 1 + (n % 3), n % 2 ? `u${n % 5_000}` : String(n % 5_000), `i${n}`, random.between(SPAN[0], SPAN[1]));
  })();
  const rows = (): number => Number(before.prepare("SELECT count(*) FROM rollups").pluck().get());
  t.equal(rows(), 0);
  const first = reported(store, ...ALWAYS);
  t.same(totals(first), recomputed(path, ...ALWAYS));
  store.events.write([]);
  t.equal(rows(), 3, "a row per campaign");
  t.same(reported(store, ...ALWAYS), first, "and nothing is another than before");
  store.events.write([]);
  t.equal(rows(), 3, "what is rolled up stays as it is");
  for (const edge of ["min(at)", "max(at)"]) {
    const at = Number(before.prepare(`SELECT ${edge} FROM events`).pluck().get());
    for (const [from, to] of [
      [at, at + 1],
      [at, at + 60_000],
      [at - 60_000, at],
    ] as const)
      t.same(totals(reported(store, from, to)), recomputed(path, from, to), `${edge}, ${from - at} to ${to - at} ms`);
  }
  before.exec("DELETE FROM events WHERE id <= 5000; DELETE FROM rollups; UPDATE events SET id = id + 1000000 WHERE id > 50000");
  store.events.write([]);
  t.equal(rows(), 3, "rollups that were thrown away are made anew, whatever ids there are");
  t.same(totals(reported(store, ...ALWAYS)), recomputed(path, ...ALWAYS));
  before.close();
});

t.test("two processes that write at once roll up each event once", async (t) => {
  const { store, path } = testStore(t);
  const other = openStore(path, { actor: "other" });
  t.teardown(() => other.close());
  const batch = (first: number): PopupEvent[] =>
    Array.from({ length: 15_000 }, (_, n) => ({
      type: "impression",
      campaignId: 1,
      userId: `u${(first + n) % 9_000}`,
      impressionId: `i${first + n}`,
      at: SPAN[0] + n,
      overCap: false,
      sessionId: null,
    }));
  for (let round = 0; round < 8; round++) (round % 2 ? store : other).events.write(batch(round * 10_000));
  t.match(reported(store, ...ALWAYS), [{ impressions: 85_000, users: 9_000 }]);
  t.same(reported(other, ...ALWAYS), reported(store, ...ALWAYS));
});

t.test("columns come back as they were, from any place of a buffer", async (t) => {
  const builder = new ColumnsBuilder(() => 77);
  builder.add("impression", "4294967295", 1_800_000_000_123, false);
  builder.add("click", "007", 5, false);
  builder.add("impression", "0", 253_402_300_799_999, true);
  const columns = builder.columns();
  t.same(
    [[...columns.at], [...columns.user], [...columns.kind]],
    [
      [1_800_000_000_123, 5, 253_402_300_799_999],
      [4_294_967_295, 77, 0],
      [0, 5, 3],
    ],
  );
  t.same([builder.earliest, builder.latest], [5, 253_402_300_799_999]);
  t.same(columnsFromBytes(columnsToBytes(columns)), columns);
  t.same(columnsFromBytes(Buffer.concat([Buffer.from("xyz"), columnsToBytes(columns)]).subarray(3)), columns);
});
