/** Reports that come late, counters that are being restored, and a stream that takes no more. */
import t from "tap";
import { type LateReport, type ReportReply, reportLate } from "../../dist/redis/decisions.js";
import { windowsReader } from "../../dist/time.js";
import { startEngine } from "../helpers/engine.js";
import { selectAll, Worksheet } from "../helpers/worksheet.js";

const engine = await startEngine(t, { http: false });
const { redis, keys, store } = engine;
const sheet = new Worksheet(engine);
const id = engine.campaign({ caps: ["1/day", "3/total"] });
const total = engine.campaign({ caps: ["2/total"], priority: -1 });
await sheet.publish();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const late = (userId: string, impressionId: string, at: number, more: Partial<LateReport> = {}): LateReport => ({
  type: "impression",
  campaignId: id,
  userId,
  impressionId,
  sessionId: null,
  at,
  ...more,
});
const make = (...reports: LateReport[]): Promise<ReportReply> =>
  reportLate(redis, keys, sheet.version, sheet.windows, reports, windowsReader(sheet.live.timezone));

t.test("a late report counts at its own time, in its own day", async (t) => {
  const yesterday = engine.now - DAY;
  t.same(await make(late("1", "y", yesterday), late("1", "y2", yesterday + 1), late("1", "t", engine.now - HOUR)), { tag: "taken", answers: [1, "capped", 2] });
  t.match(await sheet.select("1"), { campaignId: total }, "today's place is taken");
  const events = (await sheet.events()).filter((event) => event.user === "1");
  t.same(
    events.map(({ at, over_cap }) => [at, over_cap]),
    [
      [String(yesterday), "0"],
      [String(yesterday + 1), "1"],
      [String(engine.now - HOUR), "0"],
    ],
  );
});

t.test("what was shown since counts against it: a cap is never exceeded", async (t) => {
  t.match(await sheet.impression("2", id, "now"), { tag: "counted" });
  t.same(await make(late("2", "earlier", engine.now - HOUR)), { tag: "taken", answers: ["capped"] });
});

t.test("it is known again, whichever way it came first", async (t) => {
  await sheet.impression("3", id, "x");
  t.same(await make(late("3", "x", engine.now - 30 * DAY), late("4", "old", engine.now - 30 * DAY)), { tag: "taken", answers: ["duplicate", 1] });
  t.same(await make(late("4", "old", engine.now - 30 * DAY)), { tag: "taken", answers: ["duplicate"] }, "also one that is older than a day");
  t.same(await make(late("4", "c", engine.now, { type: "click" })), { tag: "taken", answers: ["recorded"] });
});

t.test("what cannot be counted is set aside for people to see, and holds nothing up", async (t) => {
  await redis.hset(keys.record("6"), String(id), "many");
  const reply = await make(late("5", "a", engine.now, { campaignId: 4_000_000_000 }), late("6", "b", engine.now), late("5", "c", engine.now));
  t.same(reply, { tag: "taken", answers: ["aside", "aside", 1] });
  await engine.drain();
  t.match(store.deadEvents.list(), [
    { reason: /takes no reports/, fields: ["x", /^impression 4000000000 5 a/] },
    { reason: /failed: /, fields: ["x", /^impression 1 6 b/] },
  ]);
});

t.test("while counters are restored only what has no limit is shown", async (t) => {
  const free = engine.campaign({ priority: -5 });
  engine.campaign({ priority: 5, count_on: "serve" });
  engine.campaign({ priority: 4, stop_after: ["click"] });
  await sheet.publish();
  const ask = { userId: "7", sessionId: null, impressionId: "i" };
  t.same(await selectAll(redis, keys, sheet.live, sheet.windows, [ask], true), [{ tag: "show", campaignId: free }]);
  t.equal(await redis.exists(keys.record("7")), 0, "and nothing is counted");
  store.settings.set("user_caps", "9/day");
  await sheet.publish();
  t.same(await selectAll(redis, keys, sheet.live, sheet.windows, [ask], true), [{ tag: "none" }], "a cap over all popups is a limit too");
});

t.test("a stream at its bound takes no more: reports are told, and a decision that counts is none", async (t) => {
  store.settings.set("user_caps", "");
  store.settings.set("stream_max", "1000");
  await sheet.publish();
  const missing = 1_000 - (await redis.xlen(keys.stream));
  for (let i = 0; i < missing; i++) await redis.xadd(keys.stream, "*", "e", "filler");
  t.match(await sheet.impression("8", id, "a"), { tag: "full" });
  t.match(await make(late("8", "a", engine.now)), { tag: "full" });
  t.equal(await redis.exists(keys.record("8")), 0);
  await t.rejects(sheet.select("8"), { message: /stream is full/ }, "the campaign that counts on serve is not shown uncounted");
  await redis.xtrim(keys.stream, "MAXLEN", 999);
  t.match(await sheet.impression("8", id, "a"), { tag: "counted" });
});
