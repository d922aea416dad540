/** The audience index: the same decisions as without it, from one read; built beside what is live, tidied up behind it. */
import t from "tap";
import type { AudienceRef } from "../../dist/audience.js";
import { type Manifest, readManifest } from "../../dist/manifest.js";
import { setStatus } from "../../dist/store/campaign-changes.js";
import { buildIndexes, dropGenerations } from "../../dist/sync/audience-index.js";
import { viewStore } from "../../dist/sync/plan.js";
import { publish } from "../../dist/sync/publish.js";
import { syncStore } from "../../dist/sync/sync.js";
import { watchStore } from "../../dist/sync/watch.js";
import { startEngine, type TestEngine } from "../helpers/engine.js";
import { Random, seedOfRun } from "../helpers/random.js";
import { until } from "../helpers/until.js";
import { type Outcome, Worksheet } from "../helpers/worksheet.js";

const segment = (name: string): AudienceRef => ({ kind: "segment", name });
/** Dense blocks, blocks with a few ids far apart, the last id there is, and string ids that look like integers. */
const USERS = ["0", "7", "65535", "65536", "131071", "500000000", "4294967295", "007", "4294967296", "anna@bank", "x"];

/** Twenty audiences of every encoding, so that a row has several bytes, each with a campaign; the crowd makes two blocks dense. */
function twenty(engine: TestEngine, random: Random): void {
  const crowd = Array.from({ length: 80_000 }, (_, i) => String(i));
  for (let i = 0; i < 20; i++) {
    const members = new Set(random.some(USERS, 0.3));
    if (i % 5 === 0) for (const id of crowd) if (random.chance(0.2)) members.add(id);
    // A bitmap that reaches to the last id has half a gigabyte.
    engine.audience(segment(`s${i}`), [...members], members.has("4294967295") ? "set" : (["auto", "bitmap", "set"] as const)[i % 3]);
    engine.campaign({ target: i % 4 === 3 ? `segment:s${i} & !segment:s${i - 1}` : `segment:s${i}`, priority: (i * 7) % 20 });
  }
}

async function rowKeys(engine: TestEngine): Promise<string[]> {
  return (await engine.redis.keys("audiences:rows:*")).sort();
}

async function calls(engine: TestEngine, command: string): Promise<number> {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await engine.redis.info("commandstats"))?.[1] ?? 0);
}

t.test("decisions from the index are those without it, and ask no audience by its key", async (t) => {
  const engine = await startEngine(t, { http: false });
  const random = new Random(seedOfRun());
  t.comment(`seed ${random.seed}`);
  twenty(engine, random);
  const sheet = new Worksheet(engine);
  await sheet.publish();
  const all = async (): Promise<(Outcome | undefined)[]> => Promise.all([...USERS, "79999", "1000", "nobody", "90001"].map((user) => sheet.select(user)));
  const without = await all();
  t.ok((await calls(engine, "getbit")) > 0 && (await calls(engine, "sismember")) > 0, "without it the keys are asked");
  await engine.index();
  await sheet.publish();
  await engine.redis.config("RESETSTAT");
  t.same(await all(), without);
  t.equal((await calls(engine, "getbit")) + (await calls(engine, "sismember")), 0);
  t.ok((await calls(engine, "getrange")) > 0 && (await calls(engine, "hget")) > 0, "rows of both forms are read");
  const { index, direct } = readManifest((await engine.redis.get(engine.keys.manifest)) ?? "");
  t.same(direct, []);
  t.match(index, { slots: 20, dense: [0, 1], sparse: [7629, 7629, 65535, 65535] }, "blocks with few ids are hashes, not strings of zeros");
  const block = engine.keys.rowBlock(index?.generation ?? "", 0);
  t.ok((await engine.redis.strlen(block)) <= 65_536 * 3);
  t.ok(Number(await engine.redis.memory("USAGE", block)) <= 65_536 * 3 * 1.25, "and Redis keeps no room for more");
});

t.test("an audience that changed is asked by its key until the index is built again", async (t) => {
  const engine = await startEngine(t, { http: false });
  for (let i = 0; i < 9; i++) engine.audience(segment(`s${i}`), ["1", "anna"]);
  const ids = Array.from({ length: 9 }, (_, i) => engine.campaign({ target: `segment:s${i}`, priority: -i }));
  const sheet = new Worksheet(engine);
  await syncStore(engine.store, engine.redis, engine.keys, () => engine.now);
  await sheet.publish();
  t.equal(sheet.live.directKeys.length, 0);
  engine.audience(segment("s0"), ["2"]);
  await sheet.publish();
  t.equal(sheet.live.directKeys.length, 1, "its key");
  t.same(
    [await sheet.select("1"), await sheet.select("2"), await sheet.select("anna")],
    [ids[1], ids[0], ids[1]].map((campaignId) => ({ tag: "show", campaignId })),
  );
  const before = await rowKeys(engine);
  await engine.index();
  await sheet.publish();
  t.equal(sheet.live.directKeys.length, 0);
  t.same(
    [await sheet.select("1"), await sheet.select("2"), await sheet.select("anna")],
    [ids[1], ids[0], ids[1]].map((campaignId) => ({ tag: "show", campaignId })),
  );
  const after = await rowKeys(engine);
  t.equal(after.filter((key) => before.includes(key)).length, 0, "the rows that were replaced are gone");
  t.same(await engine.index(), undefined, "what is up to date is not built again");
  t.same(await rowKeys(engine), after);
});

t.test("few audiences get no index", async (t) => {
  const engine = await startEngine(t, { http: false });
  for (let i = 0; i < 3; i++) engine.audience(segment(`s${i}`), ["1"]);
  engine.campaign({ target: "segment:s0 | segment:s1 | segment:s2" });
  await syncStore(engine.store, engine.redis, engine.keys, () => engine.now);
  t.same(await rowKeys(engine), []);
});

t.test("a build that is stopped or fails changes nothing and leaves nothing", async (t) => {
  const engine = await startEngine(t, { http: false });
  const { store, redis, keys } = engine;
  twenty(engine, new Random(1));
  const { version } = await engine.publish();
  const { audiences } = viewStore(store, engine.now);
  let asked = 0;
  let written = 0;
  const stopped = (): boolean => ++asked > 2;
  // The second block's rows fail to be written.
  const failing = new Proxy(redis, {
    get: (target, name) => {
      if (name === "pipeline" && ++written === 2)
        return () => {
          throw new Error("no room");
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  t.equal(await buildIndexes(store, redis, [keys], audiences, engine.now, stopped), null);
  t.equal(asked, 3);
  await t.rejects(
    buildIndexes(store, failing, [keys], audiences, engine.now, () => false),
    /no room/,
  );
  t.same([await rowKeys(engine), await redis.hlen(keys.generations)], [[], 0]);
  t.equal(await redis.get(keys.version), version);
});

t.test("what a build left whose process died is tidied up in time", async (t) => {
  const engine = await startEngine(t, { http: false });
  const { redis, keys } = engine;
  await redis.hset(keys.generations, "dead", JSON.stringify({ since: engine.now, blocks: [0, 1, 9, 9], buckets: 2 }));
  for (const block of [0, 1, 9]) await redis.set(keys.rowBlock("dead", block), "rows");
  for (const bucket of [0, 1]) await redis.hset(keys.rowBucket("dead", bucket), "u", "row");
  await dropGenerations(redis, keys, engine.now + 500_000, []);
  t.equal((await rowKeys(engine)).length, 5, "it may still be at work");
  await dropGenerations(redis, keys, engine.now + 700_000, []);
  t.same([await rowKeys(engine), await redis.hlen(keys.generations)], [[], 0]);

  await redis.hset(keys.generations, "gone:half", JSON.stringify({ since: engine.now, blocks: [3, 4], buckets: 0 }));
  await redis.set(keys.rowBlock("half", 4), "rows");
  await dropGenerations(redis, keys, engine.now, []);
  t.same([await rowKeys(engine), await redis.hlen(keys.generations)], [[], 0], "so is what a killed tidying left, at once");
});

t.test("an index that was tidied away cannot come into use, and one in use is never tidied away", async (t) => {
  const engine = await startEngine(t, { http: false });
  const { store, redis, keys } = engine;
  twenty(engine, new Random(2));
  const { version } = await engine.publish();
  const { audiences } = viewStore(store, engine.now);
  const index = (await buildIndexes(store, redis, [keys], audiences, engine.now, () => false))?.get(keys);
  if (!index) throw new Error("it was not stopped");
  await dropGenerations(redis, keys, engine.now, [index.generation]);
  await t.rejects(publish(store, redis, keys, engine.now, { index }), { code: "conflict", hint: /sync again/ });
  t.equal(await redis.get(keys.version), version, "what is live stays");
  await engine.index();
  const live = await rowKeys(engine);
  t.ok(live.length > 3);
  await dropGenerations(
    redis,
    keys,
    engine.now + 86_400_000,
    live.map((key) => key.split(":")[2] ?? ""),
  );
  t.same(await rowKeys(engine), live);
});

t.test("full builds it anew, and mends damaged rows", async (t) => {
  const engine = await startEngine(t, { http: false });
  const { store, redis, keys } = engine;
  for (let i = 0; i < 5; i++) engine.audience(segment(`s${i}`), ["1"]);
  const id = engine.campaign({ target: "segment:s0 & segment:s1 & segment:s2 & segment:s3 & segment:s4" });
  const sheet = new Worksheet(engine);
  await syncStore(store, redis, keys, () => engine.now);
  for (const key of await rowKeys(engine)) await redis.del(key);
  await sheet.publish();
  t.same(await sheet.select("1"), { tag: "none" });
  await syncStore(store, redis, keys, () => engine.now, { full: true });
  await sheet.publish();
  t.same(await sheet.select("1"), { tag: "show", campaignId: id });
  t.equal(await redis.hlen(keys.generations), 1, "the damaged build is gone");
});

t.test("a list too long to be read whole decides and counts as a short one does", async (t) => {
  const engine = await startEngine(t, { http: false });
  const MANY = 700;
  engine.store.settings.set("user_caps", "3/total");
  const ids: number[] = [];
  engine.store.transaction(() => {
    for (let i = 0; i < MANY; i++) engine.audience(segment(`s${i}`), [String(i), `u-${i}`, "both"]);
    for (let i = 0; i < MANY; i++) {
      const target = i % 3 === 0 ? `segment:s${i} & !segment:s${(i + 1) % MANY}` : i % 3 === 1 ? `segment:s${i} | segment:s${i}` : `segment:s${i}`;
      ids.push(
        engine.campaign({ target, priority: i % 7, caps: ["1/day", `${1 + (i % 2)}/total`], stop_after: i % 5 === 0 ? ["click"] : [], status: "active" }),
      );
    }
  });
  const paused = engine.campaign({ target: "all", caps: ["1/total"] });
  setStatus(engine.store, paused, "paused", "test");
  const sheet = new Worksheet(engine);
  for (const indexed of [false, true]) {
    if (indexed) await engine.index();
    await sheet.publish();
    t.ok((await engine.redis.strlen(engine.keys.list)) > 3 * 8_192);
    for (const i of [0, 1, 2, 50, 349, 350, 698, 699]) {
      // Without the index everyone is asked for everything; a few users show that.
      for (const user of indexed ? [String(i), `u-${i}`] : [String(i)])
        t.same(await sheet.select(user), { tag: "show", campaignId: ids[i] }, `${user} ${indexed ? "from the index" : "by keys"}`);
    }
    t.same(await sheet.select(String(MANY)), { tag: "none" });
  }
  const best = ids.filter((_, i) => i % 7 === 6 && i % 3 !== 0);
  for (const [shown, id] of best.slice(0, 3).entries()) {
    t.same(await sheet.select("both"), { tag: "show", campaignId: id }, `the next of the highest priority, ${shown}`);
    t.same(await sheet.impression("both", id, `b${shown}`), { tag: "counted", total: 1 });
  }
  t.same(await sheet.select("both"), { tag: "none" }, "the policy is full");
  for (const i of [0, 333, 699]) {
    t.same(await sheet.impression(`u-${i}`, ids[i] ?? 0, "a"), { tag: "counted", total: 1 });
    t.same(await sheet.impression(`u-${i}`, ids[i] ?? 0, "b"), { tag: "capped" });
    t.same(await sheet.select(`u-${i}`), { tag: "none" });
  }
  t.same(await sheet.impression("u-1", paused, "a"), { tag: "counted", total: 1 }, "the last of the list");
  t.same(await sheet.impression("u-1", paused + 1, "b"), { tag: "unknown" });
});

t.test("the watch publishes a change at once, and builds the index when the store is quiet", async (t) => {
  const engine = await startEngine(t, { http: false });
  const { store, redis, keys } = engine;
  for (let i = 0; i < 5; i++) engine.audience(segment(`s${i}`), ["1", "anna"]);
  for (let i = 0; i < 5; i++) engine.campaign({ target: `segment:s${i}` });
  const ending = new AbortController();
  const watching = watchStore(store, redis, keys, {
    intervalMs: 3_600_000,
    clock: () => engine.now,
    signal: ending.signal,
    onPublish: () => undefined,
    onIncident: (cause) => t.equal(cause, undefined),
  });
  const manifest = async (): Promise<Manifest | undefined> => {
    const text = await redis.get(keys.manifest);
    return text === null ? undefined : readManifest(text);
  };
  await until("an index of all", async () => (await manifest())?.direct.length === 0);
  const first = (await manifest())?.index?.generation;
  engine.audience(segment("s3"), ["2"]);
  await until("the change is live, asked by its key", async () => (await manifest())?.direct.length === 1);
  t.equal((await manifest())?.index?.generation, first, "beside the index that there is");
  await until("an index of all again", async () => (await manifest())?.direct.length === 0);
  t.not((await manifest())?.index?.generation, first);
  ending.abort();
  await watching;
});
