/** Several partitions on one Redis, over HTTP: decided, counted and carried as with one; the trouble of one is its users' alone. */
import t from "tap";
import { Exposition } from "../../dist/doctor/exposition.js";
import { localId, partitionOf } from "../../dist/partition.js";
import { lookingConnection } from "../../dist/redis/client.js";
import { explain } from "../../dist/redis/explain.js";
import { RedisMetrics } from "../../dist/serve/redis-metrics.js";
import { reconcile } from "../../dist/sync/reconcile.js";
import { syncStore } from "../../dist/sync/sync.js";
import { sqliteSink } from "../../dist/worker/sink.js";
import { Worker } from "../../dist/worker/worker.js";
import { startEngine } from "../helpers/engine.js";
import { reportAll } from "../helpers/stored.js";
import { entryOf } from "../helpers/stream.js";
import { until } from "../helpers/until.js";

const PARTITIONS = 4;
const engine = await startEngine(t);
const { store, redis, keys } = engine;
store.settings.set("partitions", String(PARTITIONS));
const members = (from: number): string[] => Array.from({ length: 24 }, (_, n) => (n % 3 === 2 ? `u-${from + n}` : String(from + n * 7_919)));
const everyone = [...members(0), ...members(500), ...members(1_000), ...members(1_500)];
const lists = new Map(
  (["bitmap", "set", "bloom", "auto"] as const).map((encoding, i) => {
    const id = engine.campaign({ title: encoding, target: "users", caps: ["2/total"] });
    engine.audience({ kind: "users", campaignId: id }, members(i * 500), encoding);
    return [id, new Set(members(i * 500))] as const;
  }),
);
const shown = async (user: string): Promise<number | undefined> => (await engine.popup(user))?.campaign_id;
const ready = (): Promise<unknown> => until("every partition is ready", async () => (await engine.request("/readyz")).status === 200);
const inPartition = (number: number): string => everyone.find((user) => partitionOf(user, PARTITIONS) === number) ?? "";

t.test("nothing is ready before every partition is published, and it is said which is not", async (t) => {
  await redis.set(keys.layout, String(PARTITIONS));
  t.match(
    await until("the layout is seen", async () => {
      const answer = await engine.request("/readyz");
      return answer.text.includes("partition") && answer;
    }),
    { status: 503, json: { detail: /nothing is published yet in partition 0/ } },
  );
  await syncStore(store, redis, keys, () => engine.now);
  await ready();
  t.equal(
    (await redis.keys("*")).filter((name) => !name.startsWith("{p") && name !== keys.layout).join(),
    keys.verified,
    "only the test's own word is outside",
  );
});

t.test("every user sees what the own list says, by the audiences' keys and by the index", async (t) => {
  const right = async (): Promise<void> => {
    for (const user of [...everyone, "3", "u-3"]) {
      const wanted = [...lists].find(([, list]) => list.has(user))?.[0];
      t.equal(await shown(user), wanted, `user ${user} in partition ${partitionOf(user, PARTITIONS)}`);
    }
  };
  await right();
  t.ok(await engine.index(), "an index of all but the filter");
  await engine.api?.engine.refresh();
  await right();
  const [id = 0] = lists.keys();
  t.equal(await redis.getbit(`{p3}:campaign:${id}:users`, localId(7_919, PARTITIONS)), 1, "the bits of a share are dense");
  t.match(await explain(redis, keys.ofUser("7919", PARTITIONS), { userId: "7919", sessionId: null, at: engine.now, now: engine.now }), { decision: id });
});

t.test("counts are exact, the streams are carried together, and reconcile finds nothing", async (t) => {
  for (const user of everyone) {
    const id = (await shown(user)) ?? 0;
    for (const [i, text] of ['{"counted":true,"total":1}', '{"counted":true,"total":2}', '{"counted":false,"reason":"capped"}'].entries())
      t.equal((await engine.report("impression", id, { user_id: user, impression_id: `i${i}` })).text, text, user);
    t.equal(await shown(user), undefined);
  }
  const looking = lookingConnection(engine.redisUrl);
  await until("it is connected", () => looking.status === "ready");
  const metrics = new RedisMetrics(looking, keys);
  t.teardown(() => metrics.close());
  const values = async (): Promise<ReadonlyMap<string, unknown>> => new Map((await metrics.collect()).map(({ name, values: [first] }) => [name, first?.value]));
  const waiting = Number((await values()).get("popup_stream_entries"));
  t.ok(waiting > PARTITIONS, `${waiting} entries in all streams`);
  await engine.drain();
  t.equal((await values()).get("popup_stream_lag"), 0);
  t.equal((await values()).get("popup_stream_pending"), 0);
  for (const id of lists.keys()) t.match(reportAll(store, id), [{ impressions: 48, users: 24, over_cap: 24 }]);
  t.match(await reconcile(store, redis, keys, engine.now, { fix: false, onDifference: (one) => t.fail(JSON.stringify(one)) }), {
    users: everyone.length,
    differences: 0,
  });
});

t.test("a partition that lost its counters is restored, and only that", async (t) => {
  const [lost, kept] = [inPartition(2), inPartition(1)];
  for (const name of await redis.keys("{p2}:*")) await redis.del(name);
  await until("it is seen", async () => (await engine.request(`/v1/campaigns/popup?user_id=${lost}`)).headers.has("popup-degraded"));
  t.equal(await shown(kept), undefined, "the others go on, and have reached their cap");
  t.match((await engine.report("impression", 1, { user_id: lost, impression_id: "late" })).json, { spooled: true });
  const users = everyone.filter((user) => partitionOf(user, PARTITIONS) === 2).length;
  t.match(await syncStore(store, redis, keys, () => engine.now), { users_restored: users });
  await until("its report is made", () => redis.xlen("{p2}:impressions").then((entries) => entries > 0));
  t.equal(await shown(lost), undefined, "and its users have reached theirs again");
});

t.test("a partition whose calls fail: its breaker opens, and no other decision is stopped", async (t) => {
  const paused = (): unknown => engine.api?.engine.paused.decisions;
  const list = await redis.getBuffer("{p1}:campaigns:compiled");
  await redis.del("{p1}:campaigns:compiled");
  await redis.lpush("{p1}:campaigns:compiled", "no list");
  await until("the breaker is open", async () => (await engine.request(`/v1/campaigns/popup?user_id=${inPartition(1)}`), paused()));
  for (let n = 0; n < 50; n++) t.equal(await shown(inPartition(n % 2 === 0 ? 0 : 3)), undefined, "decided");
  t.equal((await engine.request("/readyz")).status, 200, "one partition takes no process out of the balancer");
  const open = new Exposition((await engine.api?.metrics.registry.metrics()) ?? "").sum("popup_breaker_open", { of: "decisions" });
  t.equal(open, 1);
  await redis.set("{p1}:campaigns:compiled", list ?? "");
  await until("it closes", async () => (await engine.request(`/v1/campaigns/popup?user_id=${inPartition(1)}`), paused() === false));
});

t.test("what a dead worker held of several streams is taken over; a stream in trouble does not hold up the others", async (t) => {
  await engine.drain();
  let ids = 0;
  const append = async (...without: number[]): Promise<void> => {
    for (const { stream, share } of engine.parts.filter((part) => !without.includes(part.share.number))) {
      const user = inPartition(share.number);
      const event = { type: "impression", campaign: "1", user, id: `direct${++ids}`, at: String(engine.now), over_cap: "0", session: "" };
      await redis.xadd(stream, "*", ...entryOf(event));
    }
  };
  const stored = (): number =>
    everyone.reduce((sum, user) => sum + store.events.ofUser(user).filter(({ impressionId }) => impressionId.startsWith("direct")).length, 0);
  await append();
  const dying = new Worker(redis, keys, { name: "sqlite", write: () => Promise.reject(new Error("gone")) });
  await t.rejects(dying.step(), { message: "gone" });
  const heir = new Worker(redis, keys, sqliteSink(store.events), { claimAfterMs: 1 });
  t.equal(await heir.step(), PARTITIONS);
  t.equal(stored(), PARTITIONS);

  await redis.rename("{p1}:impressions", "{p1}:impressions:kept");
  await redis.set("{p1}:impressions", "no stream");
  await append(1);
  await t.rejects(heir.step(), { message: /WRONGTYPE/ });
  t.equal(stored(), 2 * PARTITIONS - 1, "the others were carried");
  await redis.rename("{p1}:impressions:kept", "{p1}:impressions");
  t.equal(await heir.step(), 0);
});
