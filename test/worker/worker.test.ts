/** The worker: what is acknowledged is kept, what is kept is kept once, and nothing holds up the rest. */
import t from "tap";
import type { PopupEvent } from "../../dist/event.js";
import { type Sink, sqliteSink } from "../../dist/worker/sink.js";
import { STREAM_KEEP_MS, Worker } from "../../dist/worker/worker.js";
import { startEngine, type TestEngine } from "../helpers/engine.js";
import { storedImpressions } from "../helpers/stored.js";
import { entryOf, type StreamEvent } from "../helpers/stream.js";
import { until } from "../helpers/until.js";

const STREAM = "impressions";

/** Appends an event as the scripts do. @param streamId a stream id, or * */
function append(engine: TestEngine, n: number, fields: Partial<StreamEvent> = {}, streamId = "*"): Promise<string | null> {
  const event = { type: "impression", campaign: "1", user: `u${n}`, id: `i${n}`, at: "1780000000000", over_cap: "0", session: "", ...fields };
  return engine.redis.xadd(STREAM, streamId, ...entryOf(event));
}

const stored = (engine: TestEngine): number => storedImpressions(engine.store);
const pending = async (engine: TestEngine): Promise<number> => ((await engine.redis.xpending(STREAM, "sqlite")) as [number])[0];

t.test("events arrive whole, once, and are acknowledged", async (t) => {
  const engine = await startEngine(t, { http: false });
  for (let n = 0; n < 2_500; n++) await append(engine, n);
  await append(engine, 1, { type: "click", session: "s-1" });
  await append(engine, 7, { over_cap: "1", id: "late" });
  await engine.drain();
  t.equal(stored(engine), 2_500);
  t.equal(await pending(engine), 0);
  const expected: PopupEvent = { type: "click", campaignId: 1, userId: "u1", impressionId: "i1", at: 1780000000000, overCap: false, sessionId: "s-1" };
  t.strictSame(
    engine.store.events.ofUser("u1").find((e) => e.type === "click"),
    expected,
  );
  t.equal(engine.store.events.ofUser("u7").find((e) => e.impressionId === "late")?.overCap, true);

  await engine.redis.xgroup("SETID", STREAM, "sqlite", "0");
  await engine.drain();
  t.equal(engine.store.events.mark(STREAM), (await engine.redis.xrevrange(STREAM, "+", "-", "COUNT", 1))[0]?.[0], "the store knows how far it has them");
  t.equal(stored(engine), 2_500, "the whole stream once more changes nothing");
});

t.test("what a dead worker left pending is taken over", async (t) => {
  const engine = await startEngine(t, { http: false });
  await engine.redis.xgroup("CREATE", STREAM, "sqlite", "0", "MKSTREAM");
  for (let n = 0; n < 10; n++) await append(engine, n);
  await engine.redis.xreadgroup("GROUP", "sqlite", "dead", "COUNT", 10, "STREAMS", STREAM, ">");
  t.equal(await pending(engine), 10);
  const heir = new Worker(engine.redis, engine.keys, sqliteSink(engine.store.events), { claimAfterMs: 1 });
  await until("the heir has them", async () => (await heir.step()) === 10);
  t.equal(stored(engine), 10);
  t.equal(await pending(engine), 0);
});

t.test("entries in a reply that never came are taken up at once", async (t) => {
  const engine = await startEngine(t, { http: false });
  let cut = true;
  const cutting = new Proxy(engine.redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "xreadgroup") return value.bind(target) as unknown;
      return async (...args: unknown[]): Promise<unknown> => {
        const reply: unknown = await Reflect.apply(value, target, args);
        if (!cut || !JSON.stringify(reply).includes("impression ")) return reply;
        cut = false;
        throw new Error("Connection is closed.");
      };
    },
  });
  const worker = new Worker(cutting, engine.keys, sqliteSink(engine.store.events), { claimAfterMs: 3_600_000 });
  await worker.step();
  for (let n = 0; n < 450; n++) await append(engine, n);
  await t.rejects(worker.step(), { message: /closed/ });
  t.equal(await pending(engine), 200, "given, and never seen");
  await worker.step();
  t.equal(stored(engine), 450);
  t.equal(await pending(engine), 0);
});

t.test("a live worker's entries are not taken from it", async (t) => {
  const engine = await startEngine(t, { http: false });
  await engine.redis.xgroup("CREATE", STREAM, "sqlite", "0", "MKSTREAM");
  await append(engine, 1);
  await engine.redis.xreadgroup("GROUP", "sqlite", "busy", "COUNT", 10, "STREAMS", STREAM, ">");
  const other = new Worker(engine.redis, engine.keys, sqliteSink(engine.store.events), { claimAfterMs: 3_600_000 });
  t.equal(await other.step(), 0);
  t.equal(await pending(engine), 1);
});

t.test("a sink that fails keeps everything pending, is told once, and is tried again", async (t) => {
  const engine = await startEngine(t, { http: false });
  let failing = true;
  const real = sqliteSink(engine.store.events);
  const sink: Sink = {
    name: "sqlite",
    write: (events, dead, last) => (failing ? Promise.reject(new Error("database is locked")) : real.write(events, dead, last)),
  };
  const incidents: (string | undefined)[] = [];
  const worker = new Worker(engine.redis, engine.keys, sink, { claimAfterMs: 1, onIncident: (cause) => incidents.push(cause) });
  await append(engine, 1);
  const running = worker.run();
  await until("the failure is told", () => incidents.length === 1);
  t.equal(await pending(engine), 1);
  failing = false;
  await until("the event is stored", () => stored(engine) === 1);
  await until("its end is told", () => incidents.length === 2);
  worker.stop();
  await running;
  t.strictSame(incidents, ["database is locked", undefined]);
});

t.test("an entry that is no event is set aside and holds up nothing", async (t) => {
  const engine = await startEngine(t, { http: false });
  const bad: Partial<StreamEvent>[] = [
    { type: "poke" },
    { campaign: "x" },
    { user: "has space" },
    { id: "" },
    { at: "noon" },
    { campaign: "1e300" },
    { at: "1.5e3" },
  ];
  await append(engine, 1);
  for (const fields of bad) await append(engine, 2, fields);
  await engine.redis.xadd(STREAM, "*", "nonsense", "1");
  await append(engine, 3);
  await engine.drain();
  t.equal(stored(engine), 2);
  t.equal(await pending(engine), 0);
  const reasons = engine.store.deadEvents.list().map((event) => event.reason);
  t.strictSame(reasons, [
    'type "poke" is none of impression, click, dismiss',
    'campaign "x" is not an id',
    "it has not seven parts",
    "id is missing",
    'at "noon" is not a time',
    'campaign "1e300" is not an id',
    'at "1.5e3" is not a time',
    'field "nonsense" is not e',
  ]);
});

t.test("of an entry with many events the good ones are kept and the others set aside by their place", async (t) => {
  const engine = await startEngine(t, { http: false });
  const event = { type: "impression", campaign: "1", user: "u", id: "i", at: "1780000000000", over_cap: "0", session: "" };
  const many = Array.from({ length: 128 }, (_, i) => entryOf({ ...event, user: i === 77 ? "a/b" : `u${i}` })).flat();
  for (let n = 0; n < 3; n++) await engine.redis.xadd(STREAM, "*", ...many);
  const [, second] = (await engine.redis.xrange(STREAM, "-", "+")).map(([id]) => id);
  await engine.drain();
  t.equal(stored(engine), 127, "the same events three times over");
  t.equal(await pending(engine), 0);
  const dead = engine.store.deadEvents.list();
  t.equal(dead.length, 3);
  t.match(dead[1], { streamId: `${second}#77`, reason: 'user "a/b" is not an id', fields: ["e", /a\/b/] });
});

t.test("the stream is cut behind what every group has acknowledged, and not within the last minute", async (t) => {
  const engine = await startEngine(t, { http: false });
  const old = Date.now() - STREAM_KEEP_MS - 60_000;
  for (let n = 0; n < 5; n++) await append(engine, n, {}, `${old + n}-0`);
  await append(engine, 9);
  await engine.redis.xgroup("CREATE", STREAM, "slow", "0");
  await engine.redis.xreadgroup("GROUP", "slow", "c", "COUNT", 2, "STREAMS", STREAM, ">");
  const worker = (): Worker => new Worker(engine.redis, engine.keys, sqliteSink(engine.store.events));
  await worker().step();
  await worker().step();
  t.equal(await engine.redis.xlen(STREAM), 6, "the other group has acknowledged nothing");
  await engine.redis.xack(STREAM, "slow", `${old}-0`, `${old + 1}-0`);
  await worker().step();
  t.equal(await engine.redis.xlen(STREAM), 5, "what it has acknowledged is cut, up to its last entry");
  await engine.redis.xgroup("DESTROY", STREAM, "slow");
  await worker().step();
  t.equal(await engine.redis.xlen(STREAM), 1, "the entry of this minute stays");
});
