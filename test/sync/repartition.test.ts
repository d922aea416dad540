/** Moving users to other partitions: with exact counts before, meanwhile and after, whatever ends it in the middle. */
import type { Redis } from "ioredis";
import t from "tap";
import { partitionOf } from "../../dist/partition.js";
import { readLayout } from "../../dist/redis/layout.js";
import { changeSetting } from "../../dist/store/setting-changes.js";
import { reconcile } from "../../dist/sync/reconcile.js";
import { type Repartition, type RepartitionOptions, repartition } from "../../dist/sync/repartition.js";
import { syncStore } from "../../dist/sync/sync.js";
import { sqliteSink } from "../../dist/worker/sink.js";
import { Worker } from "../../dist/worker/worker.js";
import { startEngine, type TestEngine } from "../helpers/engine.js";
import { reportAll } from "../helpers/stored.js";
import { until } from "../helpers/until.js";

const USERS = Array.from({ length: 40 }, (_, n) => (n % 4 === 3 ? `u-${n}` : String(n * 1_000_003)));

function move(engine: TestEngine, to: number, options: Partial<RepartitionOptions> = {}, redis = engine.redis): Promise<Repartition> {
  const { store, keys } = engine;
  const worker = new Worker(redis, keys, sqliteSink(store.events));
  return repartition(store, redis, keys, to, () => engine.now, { waitMs: 10_000, sink: { name: "sqlite", carry: () => worker.step() }, ...options });
}

/** An engine with a capped campaign for half of the users, and one for all. */
async function world(t: Parameters<typeof startEngine>[0], http = true): Promise<{ engine: TestEngine; capped: number }> {
  const engine = await startEngine(t, { http });
  engine.audience({ kind: "segment", name: "staff" }, USERS.slice(0, 2), "set");
  const capped = engine.campaign({ target: "users & !segment:staff", priority: 1, caps: ["3/total"] });
  engine.audience({ kind: "users", campaignId: capped }, USERS.slice(0, 20), "bitmap");
  await syncStore(engine.store, engine.redis, engine.keys, () => engine.now);
  return { engine, capped };
}

async function differences(engine: TestEngine): Promise<unknown> {
  const found: unknown[] = [];
  await reconcile(engine.store, engine.redis, engine.keys, engine.now, { fix: false, onDifference: (one) => found.push(one) });
  return found;
}

/** The keys that are not of so many partitions. */
async function strays(engine: TestEngine, count: number): Promise<string[]> {
  const names = await engine.redis.keys("*");
  return names.filter(
    (name) => name !== engine.keys.layout && !(count === 1 ? !name.startsWith("{") : Number(/^\{p(\d+)\}:/.exec(name)?.[1] ?? 9_999) < count),
  );
}

t.test("1 to 4 to 6 to 1 under an engine: nothing that was accepted is lost or counted twice, and every cap holds", async (t) => {
  const { engine, capped } = await world(t);
  const { store } = engine;
  let ids = 0;
  let accepted = 0;
  const report = async (user: string): Promise<string> => {
    const { status, text } = await engine.report("impression", capped, { user_id: user, impression_id: `i${++ids}` });
    t.equal(status, 202, text);
    accepted++;
    return text;
  };
  const settled = (): Promise<unknown> =>
    until("the engine counts again, and the spool is empty", async () => {
      await engine.api?.engine.refresh();
      const { recovering, unready } = engine.api?.engine ?? {};
      const metrics = (await engine.api?.metrics.registry.metrics()) ?? "";
      return unready === undefined && recovering === false && /^popup_spool_records 0$/m.test(metrics);
    });
  await settled();
  const users = USERS.slice(2, 20);
  for (const user of users) t.equal(await report(user), '{"counted":true,"total":1}');
  const reported = new Set<number>();
  let from = 1;
  for (const [round, to] of [4, 6, 1].entries()) {
    const during: string[] = [];
    let degraded: string | null = null;
    const result = await move(engine, to, {
      // Told in the middle: a customer comes, and sends a report.
      say: (line) => during.push(line),
      sink: { name: "sqlite", carry: async () => (await busy(), 0) },
    }).catch(async (error: unknown) => {
      t.fail(String(error));
      throw error;
    });
    /** While the streams are drained: by the worker of another process, as it were. */
    async function busy(): Promise<void> {
      const answer = await engine.request(`/v1/campaigns/popup?user_id=${users[0]}`);
      degraded = answer.headers.get("popup-degraded");
      t.ok(degraded === "unpublished" || degraded === "recovering", `no popup is shown meanwhile: ${degraded}`);
      // A worker that has not learned of the last move yet is asked again.
      for (const user of reported.has(to) ? [] : users.slice(round * 6, round * 6 + 6)) t.match(await report(user), /"spooled":true/);
      reported.add(to);
      await engine.drain();
    }
    t.match(result, { from, to, users: from === 4 ? Number : users.length });
    t.ok(during.length >= 4, during.join("; "));
    t.not(degraded, null);
    await settled();
    t.same(await readLayout(engine.redis, engine.keys), { partitions: to, movingTo: null });
    t.equal(store.settings.get("partitions"), String(to));
    t.same(await strays(engine, to), []);
    t.same(await differences(engine), [], `${to}: what Redis has counted is what the events say`);
    from = to;
  }
  // Of three, each user has two: one before and one while users were moved.
  for (const user of users) {
    t.equal((await engine.popup(user))?.campaign_id, capped, user);
    t.equal(await report(user), '{"counted":true,"total":3}');
    t.equal(await report(user), '{"counted":false,"reason":"capped"}');
    t.equal(await engine.popup(user), null);
  }
  t.equal(await engine.popup(USERS[0] ?? ""), null, "staff is excluded still");
  await until("the worker has learned of the last move, and carried all", async () => {
    await engine.drain();
    return reportAll(store, capped)[0]?.over_cap === users.length;
  });
  t.match(reportAll(store, capped), [{ impressions: users.length * 3, users: users.length, over_cap: users.length }]);
  t.equal(accepted, users.length * 4);
});

/**
 * A connection that is lost for good after so many commands: what a process that is killed leaves.
 * @param slots whether keys lie in slots, as in a cluster, so that none can be renamed into another
 * @param now asked before each command; true is the end too
 */
function dyingAfter(redis: Redis, commands: number, slots = false, now: () => boolean = () => false): Redis {
  let left = commands;
  return new Proxy(redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (left-- <= 0 || now()) throw new Error("Connection is closed.");
        if (slots && name === "rename") throw new Error("CROSSSLOT Keys in request don't hash to the same slot");
        return Reflect.apply(value, target, args);
      };
    },
  });
}

t.test("ended at any command, it goes on where it was", async (t) => {
  const { engine, capped } = await world(t, false);
  const { store, redis, keys } = engine;
  const record = (user: string): Promise<Record<string, string>> => redis.hgetall(keys.ofUser(user, store.settings.partitions()).record(user));
  for (const user of USERS) await redis.hset(keys.record(user), String(capped), "2");
  await redis.pexpire(keys.record("0"), 3_600_000);
  await redis.xadd(keys.stream, "*", "e", `impression ${capped} 7 first 1780000000000 0 `);
  let [runs, deaths] = [0, 0];
  const phases = new Set<string>();
  for (const to of [3, 5, 1]) {
    // The last phase is short, and a run that has come through all before it may be through this one too.
    let diedTidying = false;
    const firstTidying = (): boolean => !diedTidying && (diedTidying = store.settings.move()?.phase === "tidying");
    for (let commands = 1; ; commands += 3) {
      runs++;
      try {
        await move(engine, to, {}, dyingAfter(redis, commands, to !== 5, firstTidying));
        break;
      } catch (error) {
        t.match(String(error), /Connection is closed/);
        deaths++;
        phases.add(store.settings.move()?.phase ?? "before");
        if (["draining", "moving"].includes(store.settings.move()?.phase ?? "")) {
          await t.rejects(
            syncStore(store, redis, keys, () => engine.now),
            { code: "conflict", hint: `popup repartition ${to} does it, and goes on where it was stopped` },
          );
          await t.rejects(move(engine, to + 1), { code: "conflict", hint: new RegExp(`^popup repartition ${to} `) });
        }
      }
    }
    for (const user of USERS) t.same(await record(user), { [capped]: "2" }, `${to}: user ${user}`);
    t.ok((await redis.pttl(keys.ofUser("0", to).record("0"))) > 3_000_000, "the expiry is kept");
    t.same(await strays(engine, to), []);
    t.equal((await redis.keys("*user:*")).length, USERS.length);
    t.equal(store.settings.move(), null);
    t.match(await move(engine, to), { from: to, to, users: 0, keys_removed: 0 }, "once more is nothing");
  }
  t.match(reportAll(store, capped), [{ impressions: 1 }], "what was in the stream is kept");
  t.same([...phases].sort(), ["before", "draining", "moving", "tidying"], `${deaths} deaths in ${runs} runs`);
  t.equal(partitionOf("0", 5), 0);
});

t.test("a sink that does not take its events: said in time, and all is as before", async (t) => {
  const { engine, capped } = await world(t, false);
  const { store, redis, keys } = engine;
  await redis.xadd(keys.stream, "*", "e", `impression ${capped} 7 first 1780000000000 0 `);
  await redis.xgroup("CREATE", keys.stream, "kafka", "0");
  const version = await redis.get(keys.version);
  await t.rejects(move(engine, 4, { waitMs: 1 }), {
    code: "unavailable",
    message: /still await their sink: kafka 1; all is as before/,
    hint: /XGROUP DESTROY/,
  });
  t.equal(store.settings.move(), null);
  t.equal(store.settings.partitions(), 1);
  t.same(await readLayout(redis, keys), { partitions: 1, movingTo: null });
  t.not(await redis.get(keys.version), version);
  t.equal(await redis.exists(keys.list), 1, "published again");
  await redis.xgroup("DESTROY", keys.stream, "kafka");
  t.match(await move(engine, 4), { from: 1, to: 4 });
  t.match(reportAll(store, capped), [{ impressions: 1 }], "the sink of this machine has carried it");
});

t.test("a Redis that was replaced, or emptied, in the middle: counters are made again from the events", async (t) => {
  const { engine, capped } = await world(t, false);
  const { store, redis, keys } = engine;
  await redis.xadd(keys.stream, "*", "e", `impression ${capped} 7 first ${engine.now} 0 `);
  await engine.drain();
  await syncStore(store, redis, keys, () => engine.now, { full: true });
  t.equal(await redis.hget(keys.record("7"), String(capped)), "1");
  await t.rejects(move(engine, 2, {}, dyingAfter(redis, 30)));
  t.ok(["draining", "moving"].includes(store.settings.move()?.phase ?? ""));
  store.settings.setMove({ ...store.settings.move(), from: 1, to: 2, phase: "moving", runId: "another" });
  await redis.flushall();
  await move(engine, 2);
  t.equal(await redis.hget(keys.ofUser("7", 2).record("7"), String(capped)), "1");
  t.same(await differences(engine), []);
});

t.test("the setting itself: free in the beginning, then with a hint at the way out", async (t) => {
  const engine = await startEngine(t, { http: false });
  const { store, redis, keys } = engine;
  t.same(changeSetting(store, "partitions", "64"), { value: "64", waiting: null });
  await redis.del(keys.verified);
  await syncStore(store, redis, keys, () => engine.now);
  t.equal(await redis.get(keys.layout), "64");
  t.equal((await redis.keys("{p*}:campaigns:version")).length, 64);
  engine.audience({ kind: "segment", name: "vip" }, ["1"]);
  t.same(changeSetting(store, "partitions", "64").value, "64", "as it is");
  t.throws(() => changeSetting(store, "partitions", "8"), { code: "conflict", hint: "popup repartition 8 does that" });
  store.settings.set("partitions", "8");
  await t.rejects(
    syncStore(store, redis, keys, () => engine.now),
    { code: "conflict", message: "Redis holds 64 partitions, the store says 8", hint: /popup repartition 8/ },
  );
  await move(engine, 8);
  t.equal((await redis.keys("{p*}:campaigns:version")).length, 8);
  for (const wrong of ["0", "1025", "1.5", "x", "01"]) t.throws(() => store.settings.set("partitions", wrong), { code: "invalid", field: "partitions" });
});
