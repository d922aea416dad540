/** Redis away, Redis hung, Redis back, and clients that leave: always an answer, and never a late one. */
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import t from "tap";
import { startEngine } from "../helpers/engine.js";
import { until } from "../helpers/until.js";
import { DECISION_DEADLINE_MS } from "../../src/engine/engine.js";
import { openEmbeddedRedis } from "../../src/redis/embedded.js";

const file = t;
const engine = await startEngine(file, { decisionDeadlineMs: DECISION_DEADLINE_MS });
const id = engine.campaign({ caps: ["1000/total"] });
await engine.publish();

const get = (): ReturnType<typeof engine.request> => engine.request("/v1/campaigns/popup?user_id=1");
const degraded = async (): Promise<string | null> => (await get()).headers.get("popup-degraded");

await until("a first decision within its deadline, on however busy a machine", async () => (await degraded()) === null);

async function serverPid(): Promise<number> {
  const pid = Number(/process_id:(\d+)/.exec(await engine.redis.info("server"))?.[1]);
  if (!(pid > 1)) throw new Error("redis-server does not tell its pid");
  return pid;
}

t.test("Redis hangs: 204 at the deadline, 503 for a report, and all well when it goes on", async (t) => {
  const pid = await serverPid();
  process.kill(pid, "SIGSTOP");
  try {
    const answers = await Promise.all(Array.from({ length: 20 }, get));
    for (const answer of answers) t.match([answer.status, answer.text, answer.headers.get("popup-degraded"), answer.headers.get("cache-control")], [204, "", "timeout", "no-store"]);
    const report = await engine.report("impression", id, { user_id: 1, impression_id: "hung" });
    t.equal(report.status, 503);
    t.equal(report.headers.get("content-type"), "application/problem+json");
    t.match(report.headers.get("retry-after"), /^[1-9]/);
    t.match(report.json, { status: 503, detail: /send it again with the same impression_id/ });
    t.match(await engine.request("/healthz"), { status: 200 }, "the process itself is well");
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await until("decisions again", async () => (await get()).status === 200);
  await until("an answer that is not degraded", async () => (await degraded()) === null);
  const retried = await engine.report("impression", id, { user_id: 1, impression_id: "hung" });
  t.match(retried, { status: 202, json: { counted: false, reason: "duplicate" } }, "what was taken late is known to its retry");
  await engine.drain();
  t.match(engine.store.events.report(id, 0, Number.MAX_SAFE_INTEGER, "UTC"), [{ impressions: 1, over_cap: 0 }], "counted once");
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
    const report = await engine.report(type, id, { user_id: 1, impression_id: "away" });
    t.equal(report.status, 503, type);
    t.match(report.headers.get("retry-after"), /^[1-9]/);
  }
  t.match(await engine.request("/readyz"), { status: 503, json: { detail: /Redis is away/ } });
  t.match(await engine.request("/healthz"), { status: 200 });
  t.match(await engine.request("/v1/campaigns/popup?user_id=a%20b"), { status: 400 }, "wrong input is wrong all the same");

  const dir = dirname(engine.redisUrl.slice("unix://".length));
  rmSync(join(dir, "redis.lock"), { force: true });
  const server = await openEmbeddedRedis(dir);
  file.teardown(() => server.stop());
  await until("decisions again", async () => (await get()).status === 200);
  t.match(await engine.request("/readyz"), { status: 200 });
  t.match(await engine.report("impression", id, { user_id: 1, impression_id: "hung" }), { status: 202, json: { reason: "duplicate" } }, "the append-only file kept the record");
  t.match(await engine.report("impression", id, { user_id: 1, impression_id: "away" }), { status: 202, json: { counted: true, total: 2 } }, "the refused report was not half taken");
});

t.test("clients that leave in the middle harm nobody", async (t) => {
  const port = Number(new URL(engine.url).port);
  const requests = [
    "GET /v1/campaigns/popup?user_id=1 HTTP/1.1\r\nhost: x\r\n\r\n",
    `POST /v1/campaigns/${id}/impression HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"user_id":`,
    `POST /v1/campaigns/${id}/impression HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\n{"user_id":9}`,
    "GET /v1/campaigns/popup?user_id=1 HTTP/1.1\r\nho",
  ];
  await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(requests[i % requests.length] ?? "");
    // Some leave with a reset, some in good order.
    if (i % 2 === 0) socket.resetAndDestroy();
    else socket.end();
    socket.on("error", () => undefined);
    socket.resume();
    await once(socket, "close");
  }));
  t.ok(await until("a decision", async () => (await get()).status === 200));
});
