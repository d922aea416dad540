/** Redis away, Redis hung, Redis that fails, Redis back, and clients that leave: always an answer, never a late one, and no report lost. */
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import t from "tap";
import { DECISION_DEADLINE_MS } from "../../dist/engine/engine.js";
import { openEmbeddedRedis } from "../../dist/redis/embedded.js";
import { anotherApi } from "../helpers/another-api.js";
import { startEngine } from "../helpers/engine.js";
import { reportAll } from "../helpers/stored.js";
import { until } from "../helpers/until.js";

const file = t;
const engine = await startEngine(file, { decisionDeadlineMs: DECISION_DEADLINE_MS });
const id = engine.campaign({ caps: ["1000/total"] });
await engine.publish();
/** One that keeps nothing on disk. */
const bare = await anotherApi(file, engine, { spool: null, decisionDeadlineMs: DECISION_DEADLINE_MS });
const reportBare = (type: string, impressionId: string): ReturnType<typeof engine.request> =>
  bare.report(type, id, { user_id: 1, impression_id: impressionId });
const counted = async (): Promise<unknown> => {
  await engine.drain();
  return reportAll(engine.store, id).map(({ impressions, clicks, dismissals, over_cap }) => [impressions, clicks, dismissals, over_cap]);
};
const spoolEmpty = (): Promise<true> =>
  until("the spool is empty", async () => /^popup_spool_records 0$/m.test((await engine.api?.metrics.registry.metrics()) ?? ""));

const get = (): ReturnType<typeof engine.request> => engine.request("/v1/campaigns/popup?user_id=1");
const degraded = async (): Promise<string | null> => (await get()).headers.get("popup-degraded");

await until("a first decision within its deadline, on however busy a machine", async () => (await degraded()) === null);

/** Sends many GETs at once on one connection; how many were answered with 204. */
async function pipelined(n: number): Promise<number> {
  const socket = connect(Number(new URL(engine.url).port), "127.0.0.1");
  await once(socket, "connect");
  let text = "";
  socket.write("GET /v1/campaigns/popup?user_id=1 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(n));
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.split("HTTP/1.1 204").length - 1 >= n) break;
  }
  return text.split("HTTP/1.1 204").length - 1;
}

async function serverPid(): Promise<number> {
  const pid = Number(/process_id:(\d+)/.exec(await engine.redis.info("server"))?.[1]);
  if (!(pid > 1)) throw new Error("redis-server does not tell its pid");
  return pid;
}

t.test("Redis hangs: 204 at the deadline and then at once, reports are kept, and all is well when it goes on", async (t) => {
  const pid = await serverPid();
  process.kill(pid, "SIGSTOP");
  try {
    const answers = await Promise.all(Array.from({ length: 20 }, get));
    for (const answer of answers)
      t.match([answer.status, answer.text, answer.headers.get("popup-degraded"), answer.headers.get("cache-control")], [204, "", "timeout", "no-store"]);
    t.match(await engine.report("impression", id, { user_id: 1, impression_id: "hung" }), { status: 202, json: { counted: null, spooled: true } });
    const report = await reportBare("impression", "hung");
    t.equal(report.status, 503);
    t.equal(report.headers.get("content-type"), "application/problem+json");
    t.match(report.headers.get("retry-after"), /^[1-9]/);
    t.match(report.json, { status: 503, detail: /send it again with the same impression_id/ });
    t.equal(await until("it is known to hang", async () => ((await degraded()) === "unavailable" ? "at once" : undefined)), "at once");
    t.match(await engine.request("/readyz"), { status: 503, json: { detail: /Redis is away/ } });
    // 10,000 requests at once: all are answered, and none waits in memory for Redis.
    const [gets, reports] = await Promise.all([
      Promise.all(Array.from({ length: 100 }, () => pipelined(100))),
      Promise.all(Array.from({ length: 500 }, (_, n) => engine.report("click", id, { user_id: 2, impression_id: `many-${n}` }))),
    ]);
    t.equal(
      gets.reduce((sum, answers) => sum + answers, 0),
      10_000,
    );
    t.ok(reports.every(({ status }) => status === 202));
    t.match(await engine.request("/healthz"), { status: 200 }, "the process itself is well");
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await until("decisions again", async () => (await get()).status === 200);
  await until("an answer that is not degraded", async () => (await degraded()) === null);
  const retried = await engine.report("impression", id, { user_id: 1, impression_id: "hung" });
  t.match(retried, { status: 202, json: { counted: false, reason: "duplicate" } }, "what was taken late is known to its retry");
  await engine.drain();
  await spoolEmpty();
  t.same(await counted(), [[1, 500, 0, 0]], "all are counted, once");
});

t.test("Redis stops: unavailable at once, and all well when it is back", async (t) => {
  // It goes down with requests under way: those are answered as well.
  const under = Promise.all(Array.from({ length: 50 }, get));
  process.kill(await serverPid(), "SIGTERM");
  for (const answer of await under) t.ok([200, 204].includes(answer.status));
  await until("the loss is noticed", async () => (await degraded()) === "unavailable");
  const answer = await get();
  t.match([answer.status, answer.text, answer.headers.get("popup-degraded")], [204, "", "unavailable"]);
  for (const type of ["impression", "click", "dismiss"]) {
    const kept = type === "impression" ? { counted: null, spooled: true } : { recorded: true, spooled: true };
    t.same((await engine.report(type, id, { user_id: 1, impression_id: "away" })).json, kept, type);
    const report = await reportBare(type, "refused");
    t.equal(report.status, 503, type);
    t.match(report.headers.get("retry-after"), /^[1-9]/);
  }
  t.match(await engine.report("impression", 4_000_000_000, { user_id: 1, impression_id: "nowhere" }), { status: 202 }, "what cannot be known now is taken");
  t.match(await engine.request("/readyz"), { status: 503, json: { detail: /Redis is away/ } });
  t.match(await engine.request("/healthz"), { status: 200 });
  t.match(await engine.request("/v1/campaigns/popup?user_id=a%20b"), { status: 400 }, "wrong input is wrong all the same");

  const dir = dirname(engine.redisUrl.slice("unix://".length));
  rmSync(join(dir, "redis.lock"), { force: true });
  const server = await openEmbeddedRedis(dir);
  file.teardown(() => server.stop());
  await until("it is back", async () => (await degraded()) === "recovering");
  t.match(
    await engine.report("dismiss", id, { user_id: 1, impression_id: "early" }),
    { json: { recorded: true, spooled: true } },
    "a server that was not looked at counts nothing",
  );
  t.match(await engine.request("/readyz"), { status: 200, json: { recovering: true } });
  await engine.trust();
  await until("decisions again", async () => (await get()).status === 200);
  t.match(await engine.request("/readyz"), { status: 200 });
  t.match(
    await engine.report("impression", id, { user_id: 1, impression_id: "hung" }),
    { status: 202, json: { reason: "duplicate" } },
    "the append-only file kept the record",
  );
  await spoolEmpty();
  t.match(
    await engine.report("impression", id, { user_id: 1, impression_id: "away" }),
    { status: 202, json: { reason: "duplicate" } },
    "what was kept is counted by now",
  );
  t.match((await reportBare("impression", "refused")).json, { counted: true, total: 3 }, "the refused report was not half taken");
  t.same(await counted(), [[3, 501, 2, 0]]);
  t.match(engine.store.deadEvents.list(), [{ reason: /takes no reports/, fields: ["x", /nowhere/] }], "and what is nobody's is there to see");
});

t.test("Redis that refuses to write: decisions go on, reports wait", async (t) => {
  const before = (await counted()) as number[][];
  // More memory than is allowed, and nothing may be evicted.
  await engine.redis.config("SET", "maxmemory", "1mb");
  t.match(await engine.report("impression", id, { user_id: 3, impression_id: "full" }), { status: 202, json: { counted: null } });
  t.match(await engine.popup("3"), { campaign_id: id });
  await engine.redis.config("SET", "maxmemory", "0");
  await spoolEmpty();
  // A replica is read-only.
  await engine.redis.replicaof("127.0.0.1", "1");
  t.match(await engine.report("impression", id, { user_id: 3, impression_id: "replica" }), { status: 202, json: { counted: null } });
  t.match(await engine.popup("3"), { campaign_id: id });
  await engine.redis.replicaof("NO", "ONE");
  await spoolEmpty();
  const [row = []] = before;
  t.same(await counted(), [[(row[0] ?? 0) + 2, ...row.slice(1)]]);
});

t.test("clients that leave in the middle harm nobody", async (t) => {
  const port = Number(new URL(engine.url).port);
  const requests = [
    "GET /v1/campaigns/popup?user_id=1 HTTP/1.1\r\nhost: x\r\n\r\n",
    `POST /v1/campaigns/${id}/impression HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"user_id":`,
    `POST /v1/campaigns/${id}/impression HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\n{"user_id":9}`,
    "GET /v1/campaigns/popup?user_id=1 HTTP/1.1\r\nho",
  ];
  await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      socket.write(requests[i % requests.length] ?? "");
      // Some leave with a reset, some in good order.
      if (i % 2 === 0) socket.resetAndDestroy();
      else socket.end();
      socket.on("error", () => undefined);
      socket.resume();
      await once(socket, "close");
    }),
  );
  t.ok(await until("a decision", async () => (await get()).status === 200));
});
