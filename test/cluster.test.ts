/** The engine on a real Redis Cluster of three masters with a replica each: what it says, that caps are exact, and that nothing is lost when servers die or slots move. */
import "./helpers/uncovered.js";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { type Api, openApi } from "../dist/app.js";
import { partitionOf } from "../dist/partition.js";
import { backgroundConnection, lookingCluster, lookingConnection } from "../dist/redis/client.js";
import { isCluster, serverOf, serversOf, slotOf } from "../dist/redis/cluster.js";
import { Keys } from "../dist/redis/keys.js";
import { RedisMetrics } from "../dist/serve/redis-metrics.js";
import { createCampaign } from "../dist/store/campaign-changes.js";
import { openStore } from "../dist/store/store.js";
import { type Difference, reconcile } from "../dist/sync/reconcile.js";
import { repartition } from "../dist/sync/repartition.js";
import { syncStore } from "../dist/sync/sync.js";
import { watchStore } from "../dist/sync/watch.js";
import { sqliteSink } from "../dist/worker/sink.js";
import { Worker } from "../dist/worker/worker.js";
import { runFault } from "./chaos/run.js";
import { renderFindings } from "./chaos/table.js";
import { cli } from "./helpers/cli.js";
import { startCluster } from "./helpers/cluster.js";
import { campaignInput, freePort, PATIENT_MS } from "./helpers/engine.js";
import { runCase } from "./helpers/property-case.js";
import { Random, seedOfRun } from "./helpers/random.js";
import { reportAll } from "./helpers/stored.js";
import { until } from "./helpers/until.js";

const PARTITIONS = 8;
const CASES = 8;
const USERS = Array.from({ length: 24 }, (_, n) => (n % 3 === 2 ? `u-${n}` : String(n * 1_000_003)));

const cluster = await startCluster(t);
const redis = await backgroundConnection(cluster.url);
const dir = mkdtempSync(join(tmpdir(), "popup-cluster-test-"));
const store = openStore(join(dir, "data", "popup.db"), { actor: "test" });
const keys = new Keys();
const worker = new Worker(redis, keys, sqliteSink(store.events));
const apis: Api[] = [];
const watching = new AbortController();
let watch: Promise<void> | undefined;
t.teardown(async () => {
  watching.abort();
  await watch;
  for (const api of apis) await api.close();
  redis.disconnect();
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

const drain = async (): Promise<void> => {
  await worker.step();
  while ((await worker.step()) > 0);
};
async function differences(fix = false): Promise<Difference[]> {
  const found: Difference[] = [];
  await reconcile(store, redis, keys, Date.now(), { fix, onDifference: (difference) => found.push(difference) });
  return found;
}
const ready = (): Promise<unknown> =>
  until("every process trusts the counters of every partition", async () => {
    const answers = await Promise.all(apis.map(async ({ url }) => (await fetch(`${url}/readyz`)).json() as Promise<{ ready?: boolean; recovering?: boolean }>));
    return answers.every(({ ready, recovering }) => ready === true && recovering !== true);
  });
const post = async (api: Api | undefined, campaign: number, user: string, id: string): Promise<unknown> => {
  const answer = await fetch(`${api?.url}/v1/campaigns/${campaign}/impression`, { method: "POST", body: JSON.stringify({ user_id: user, impression_id: id }) });
  return answer.json();
};

t.test("the client sees the cluster by the URL; of one partition it is said what to do, of a database too", async (t) => {
  t.equal(isCluster(redis), true);
  t.equal(serversOf(redis).length, 3);
  await t.rejects(backgroundConnection(`${cluster.url}/1`), {
    code: "unavailable",
    message: /names a database, and this Redis is a cluster/,
    hint: /--prefix/,
  });
  await t.rejects(syncStore(store, redis, keys, Date.now), {
    code: "conflict",
    message: /the users are in one partition/,
    hint: /settings set partitions 64.*popup repartition 64/,
  });
  for (let i = 0; i < 2; i++) {
    apis.push(
      await openApi({
        redisUrl: cluster.url,
        prefix: "",
        host: "127.0.0.1",
        port: await freePort(),
        log: pino({ level: "silent" }),
        decisionDeadlineMs: PATIENT_MS,
        spool: { dir: join(dir, "spool"), maxBytes: 1_000_000 },
      }),
    );
  }
  const unready = await fetch(`${apis[0]?.url}/readyz`);
  t.match(await unready.json(), { detail: /this Redis is a cluster, and the users are in one partition; popup settings set partitions 64/ });
  const popup = cli(t);
  popup.env.POPUP_REDIS_URL = cluster.url;
  t.match((await popup(["doctor"])).stdout, /redis.*the users are in one partition/);
});

t.test("a slice of the property test: every reply is the model's", async (t) => {
  const seed = seedOfRun();
  t.comment(`seed ${seed}; POPUP_SEED=${seed} repeats it`);
  for (let number = 0; number < CASES; number++) {
    const failure = await runCase(redis, new Random((seed + number * 7919) >>> 0), 5, new Map());
    if (failure) t.fail(`seed ${seed}, case ${number}, ${failure.where}`, { expected: failure.wanted, found: failure.found });
  }
  await Promise.all(serversOf(redis).map((server) => server.flushall()));
});

t.test("caps are exact under concurrency, by two processes and on all masters; scripts that servers forgot are loaded again", async (t) => {
  store.settings.set("partitions", String(PARTITIONS));
  const campaign = createCampaign(store, campaignInput({ caps: ["3/total"] })).id;
  watch = watchStore(store, redis, keys, {
    intervalMs: 60_000,
    clock: Date.now,
    signal: watching.signal,
    onPublish: () => undefined,
    onIncident: () => undefined,
  });
  await ready();
  t.equal(new Set(USERS.map((user) => serverOf(redis, keys.ofUser(user, PARTITIONS).list))).size, 3, "the users are on all masters");
  await Promise.all(serversOf(redis).map((server) => server.script("FLUSH")));
  const answers = await Promise.all(
    USERS.flatMap((user) => Array.from({ length: 10 }, async (_, i) => ({ user, answer: await post(apis[i % 2], campaign, user, `${user}-${i}`) }))),
  );
  for (const user of USERS) {
    const totals = answers.flatMap(({ user: of, answer }) => (of === user ? [(answer as { total?: number }).total ?? 0] : [])).filter((total) => total > 0);
    t.same(totals.sort(), [1, 2, 3], `user ${user} in partition ${partitionOf(user, PARTITIONS)}`);
  }
  const metrics = new RedisMetrics(lookingConnection(cluster.url), keys, (nodes) => lookingCluster(cluster.url, null, nodes));
  t.teardown(() => metrics.close());
  const read = await until("all masters are looked at", async () => {
    const values = (await metrics.collect()).flatMap(({ name, values }) => values.map(({ value }) => [name, value] as const));
    return new Map(values).get("popup_redis_up") === 1 && new Map(values);
  });
  const entries = await Promise.all(keys.split(PARTITIONS).map(({ stream }) => redis.xlen(stream)));
  t.equal(
    read.get("popup_stream_entries"),
    entries.reduce((sum, one) => sum + one, 0),
    "of all partitions",
  );
  await drain();
  t.match(reportAll(store, campaign), [{ impressions: 3 * USERS.length, over_cap: 7 * USERS.length }]);
  t.same(await differences(), []);
});

t.test(
  "a slot that moves: who has a record is decided for meanwhile, who has none afterwards; and nobody waits until the new master is looked at",
  async (t) => {
    const [known = ""] = USERS;
    const own = keys.ofUser(known, PARTITIONS);
    const stranger = String(Array.from({ length: PARTITIONS }, (_, i) => 500 + i).find((id) => partitionOf(String(id), PARTITIONS) === own.share.number));
    const from = await cluster.masterOf(own.list);
    const to = (await cluster.masters()).find((node) => node !== from);
    if (!to) throw new Error("there is one master only");
    const ask = async (user: string): Promise<string> => {
      const answer = await fetch(`${apis[0]?.url}/v1/campaigns/popup?user_id=${user}`);
      return answer.headers.get("popup-degraded") ?? String(answer.status);
    };
    const slot = slotOf(own.list);
    await cluster.beginMove(slot, from, to);
    t.same(await Promise.all([ask(stranger), ask(known)]), ["unavailable", "204"], "a stranger's record may be on either server; the other's cap is full");
    t.match(await post(apis[0], 1, stranger, "meanwhile"), { spooled: true });
    await cluster.endMove(slot, from, to);
    t.equal(await ask(stranger), "200");
    await until(
      "the report is counted from the spool",
      async () => ((await post(apis[0], 1, stranger, "meanwhile")) as { reason?: string }).reason === "duplicate",
    );
    t.equal((await cluster.masterOf(own.list)).port, to.port);
    t.equal(await ask(known), "204", "what was counted came along, and is used");
  },
);

t.test("what servers have lost, the store mends", async (t) => {
  const lost = USERS.slice(0, 9);
  for (const user of lost) await redis.del(keys.ofUser(user, PARTITIONS).record(user));
  const strangers = Array.from({ length: PARTITIONS }, (_, i) => String(900_000 + i));
  for (const user of strangers) await redis.hset(keys.ofUser(user, PARTITIONS).record(user), "1", "2");
  const found = new Set((await differences(true)).map(({ user_id }) => user_id));
  for (const user of [...lost, ...strangers]) t.ok(found.has(user), `user ${user}, whatever master the record is on`);
  t.same(await differences(), [], "and mended");
});

t.test("users move to other partitions, and so to other servers, with what they have seen", async (t) => {
  const sink = { name: "sqlite", carry: () => worker.step() };
  const { users } = await repartition(store, redis, keys, 5, Date.now, { waitMs: 10_000, sink });
  t.ok(users > 0);
  let sent = 0;
  await until(
    "users are where their caps are",
    async () => ((await post(apis[0], 1, USERS[0] ?? "", `more-${++sent}`)) as { reason?: string }).reason === "capped",
  );
  // Those before went to the spool.
  await until("every report is stored, and no more is counted than before", async () => {
    await drain();
    return reportAll(store, 1)[0]?.over_cap === 7 * USERS.length + sent;
  });
  t.match(reportAll(store, 1), [{ impressions: 3 * USERS.length + 1 }]);
  t.same(await differences(), []);
});

t.test("kill -9 of a master, and slots that move, under customers: accepted = stored = counted, and the other masters' users see nothing of it", async (t) => {
  const seed = seedOfRun();
  const outcome = await runFault(
    {
      name: "cluster",
      title: "kill -9 of a master; then slots move",
      plan: { partitions: 16 },
      strike: async ({ cluster, random, keysOf }, hold) => {
        const [first, second] = await cluster.masters();
        const master = random.pick(await cluster.masters());
        t.comment(`the master on ${master.port} is killed; user 1000 is on ${(await cluster.masterOf(keysOf("1000").list)).port}`);
        await master.kill();
        await cluster.untilWell(false);
        await hold();
        master.start();
        await cluster.untilWell();
        const [from, to] = first === master || second === master ? (await cluster.masters()).slice(0, 2) : [first, second];
        if (from && to) await cluster.reshard(from, to, 400);
      },
    },
    { seed, seconds: 1, keep: false },
  );
  const { requests, accepted, spooled, degraded } = outcome.verdict;
  t.comment(`seed ${seed}: ${requests} requests, ${accepted} reports accepted, ${spooled} from the spool; degraded ${JSON.stringify(degraded)}`);
  t.ok(accepted > 0, "reports were accepted");
  t.equal(renderFindings([{ outcome }], 20), "", "nothing is lost, counted twice or over a cap");
});
