/** A Redis that was emptied, went back in time or was replaced is noticed, and its counters are made again before they are used. */
import { cpSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { Engine } from "../../dist/engine/engine.js";
import { hotConnection } from "../../dist/redis/client.js";
import { type EmbeddedRedis, openEmbeddedRedis } from "../../dist/redis/embedded.js";
import { publish } from "../../dist/sync/publish.js";
import { syncStore } from "../../dist/sync/sync.js";
import { partsToVerify, type Verification, verifyPartitions } from "../../dist/sync/verify.js";
import { watchStore } from "../../dist/sync/watch.js";
import { startEngine } from "../helpers/engine.js";
import { until } from "../helpers/until.js";

const engine = await startEngine(t);
const { store, redis, keys } = engine;
const capped = engine.campaign({ caps: ["1/total"], priority: 1 });
const free = engine.campaign({ priority: 0 });
const dir = dirname(engine.redisUrl.slice("unix://".length));
let user = 0;
let ids = 0;

const show = async (id: string): Promise<unknown> => (await engine.report("impression", capped, { user_id: id, impression_id: `i${++ids}` })).json;
const sees = async (id: string): Promise<string | number> => {
  const answer = await engine.request(`/v1/campaigns/popup?user_id=${id}`);
  return answer.status === 200 ? (answer.json as { campaign_id: number }).campaign_id : (answer.headers.get("popup-degraded") ?? "none");
};
const verify = (): Promise<Verification> => verifyPartitions(store, redis, [keys], () => engine.now);
const trusts = (): Promise<true> =>
  until("the engine trusts the counters", async () => {
    const { ready, recovering } = (await engine.request("/readyz")).json as { ready?: boolean; recovering?: boolean };
    return ready === true && recovering !== true;
  });

let replacement: EmbeddedRedis | undefined;
t.teardown(() => replacement?.stop());
/** Stops the server; another one starts on the same socket, after `between` has had its files. */
async function restart(between: () => void = () => undefined): Promise<void> {
  process.kill(Number(/process_id:(\d+)/.exec(await redis.info("server"))?.[1]), "SIGTERM");
  await until("it has ended", () => redis.status !== "ready");
  await replacement?.stop();
  between();
  rmSync(join(dir, "redis.lock"), { force: true });
  replacement = await openEmbeddedRedis(dir);
  await until("it answers", () =>
    redis.ping().then(
      () => true,
      () => false,
    ),
  );
}

await engine.publish();

t.test("a restart on the append-only file: nothing is lost, and that is seen at once", async (t) => {
  const id = String(++user);
  t.match(await show(id), { counted: true });
  await engine.drain();
  await restart();
  await until("the engine has noticed", async () => (await sees(id)) === free);
  t.same(await partsToVerify(redis, [keys]), [keys]);
  t.same(await verify(), { outcome: "whole", users: 0 });
  t.same(await verify(), { outcome: "known", users: 0 });
  await trusts();
  t.equal(await sees(id), free, "seen once");
  t.equal(await sees(String(++user)), capped);
});

t.test("an emptied Redis: no capped campaign is shown until all counters are back", async (t) => {
  const [seen, fresh] = [String(++user), String(++user)];
  await show(seen);
  await engine.drain();
  await redis.flushall();
  await until("the engine has noticed", async () => (await sees(seen)) === "unpublished");
  const during: (string | number)[] = [];
  const result = await verifyPartitions(store, redis, [keys], () => engine.now, {
    between: async () => {
      during.push(await sees(seen), await sees(fresh));
      t.match(await show(seen), { counted: null, spooled: true }, "reports wait");
    },
  });
  t.match(result, { outcome: "restored" });
  t.same([...new Set(during)], [free]);
  await trusts();
  t.same([await sees(seen), await sees(fresh)], [free, capped]);
  await until("what waited is counted", async () => Number(await redis.xlen(keys.stream)) > 0);
  await engine.drain();
  t.match(
    store.events.ofUser(seen).map(({ overCap }) => overCap),
    [false, true],
  );
});

t.test("a report that was under way when Redis was emptied waits too", async (t) => {
  const seen = String(++user);
  await show(seen);
  await engine.drain();
  // Before the engine looks again: it learns of both when it asks with its old list.
  await redis.flushall();
  await publish(store, redis, keys, engine.now);
  t.match(await show(seen), { counted: null, spooled: true });
  await verify();
  await trusts();
  await until("what waited is made", async () => Number(await redis.xlen(keys.stream)) > 0);
  await engine.drain();
  t.match(
    store.events.ofUser(seen).map(({ overCap }) => overCap),
    [false, true],
  );
});

t.test("what Redis took and lost before the worker had it is made again", async (t) => {
  const id = String(++user);
  t.match(await show(id), { counted: true, total: 1 });
  await redis.flushall();
  await verify();
  await trusts();
  await until("it is counted again", async () => (await redis.hget(keys.record(id), String(capped))) === "1");
  await engine.drain();
  t.equal(store.events.ofUser(id).length, 1, "once");
});

t.test("the same of the first report of a new process", async (t) => {
  const id = String(++user);
  const hot = hotConnection(engine.redisUrl);
  const young = new Engine({ redis: hot, keys, clock: () => engine.now, spool: null });
  t.teardown(() => young.close());
  await young.warmUp();
  const receipt = await new Promise((answer) =>
    young.report({ type: "impression", campaignId: capped, userId: id, impressionId: "first", sessionId: null }, answer),
  );
  await redis.flushall();
  t.match(receipt, { kind: "counted" });
  await verify();
  await until("it is counted again", async () => (await redis.hget(keys.record(id), String(capped))) === "1");
});

t.test("an old snapshot: its stream ends before what the store has", async (t) => {
  const [before, after] = [String(++user), String(++user)];
  await show(before);
  await engine.drain();
  await restart(() => cpSync(dir, `${dir}-old`, { recursive: true, filter: (path) => !path.endsWith(".sock") }));
  await verify();
  await trusts();
  await show(after);
  await engine.drain();
  await restart(() => {
    rmSync(join(dir, "appendonlydir"), { recursive: true });
    cpSync(`${dir}-old`, dir, { recursive: true });
  });
  t.teardown(() => rmSync(`${dir}-old`, { recursive: true, force: true }));
  t.equal(await redis.exists(keys.record(after)), 0, "Redis does not know of it");
  await until("the engine has noticed", async () => (await sees(after)) === free);
  t.match(await verify(), { outcome: "restored" });
  await trusts();
  t.same([await sees(before), await sees(after)], [free, free]);
  await restart();
  t.match(await verify(), { outcome: "whole" }, "the next look does not find the old gap again");
});

t.test("a server that is replaced in the middle of the look is not trusted", async (t) => {
  await redis.del(keys.verified);
  await t.rejects(
    verifyPartitions(store, redis, [keys], () => engine.now, { force: true, between: () => restart() }),
    { code: "conflict" },
  );
  t.equal(await redis.get(keys.verified), null);
  await verify();
});

t.test("sync does it by hand, the watch by itself; a change is published while counters are restored", async (t) => {
  await redis.flushall();
  t.match(await syncStore(store, redis, keys, () => engine.now), { campaigns: 2, users_restored: user - 2 });
  const ending = new AbortController();
  const told: string[] = [];
  const watching = watchStore(store, redis, keys, {
    intervalMs: 60_000,
    clock: () => engine.now,
    signal: ending.signal,
    onPublish: ({ campaigns }) => told.push(`${campaigns} campaigns`),
    onRestoring: () => {
      told.push("restoring");
      engine.campaign({ title: "made meanwhile" });
    },
    onVerified: ({ outcome }) => told.push(outcome),
    onIncident: (cause) => told.push(cause ?? "over"),
  });
  await until("the watch is up", () => told.length > 0);
  await redis.flushall();
  await until("it has restored", () => told.includes("restored"));
  ending.abort();
  await watching;
  t.ok(told.indexOf("restoring") < told.indexOf("3 campaigns") && told.indexOf("3 campaigns") < told.indexOf("restored"), told.join(", "));
});
