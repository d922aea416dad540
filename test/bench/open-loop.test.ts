/** The benchmark's open-loop client against a server that stalls, degrades and breaks off. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import t, { type Test } from "tap";
import { LOST_MS, openLoop } from "../../dist-bench/open-loop.js";
import { until } from "../helpers/until.js";

type Answer = "good" | "degraded" | "wrong" | "none" | "broken";

/** A server that gives each request, by its number, one of the answers. */
async function serve(t: Test, answer: (request: number) => Answer): Promise<{ url: string; users: number[] }> {
  const users: number[] = [];
  const server = createServer((request, response) => {
    users.push(Number(new URL(request.url ?? "", "http://bench").searchParams.get("user_id")));
    const what = answer(users.length - 1);
    if (what === "broken") response.destroy();
    if (what === "good") response.end(JSON.stringify({ campaign_id: users.length }));
    if (what === "degraded") response.writeHead(204, { "popup-degraded": "timeout" }).end();
    if (what === "wrong") response.writeHead(500, { "content-length": 2 }).end("no");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  t.teardown(() => server.closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, users };
}

t.test("a stall is paid by all who were due in it", async (t) => {
  const stallMs = 300;
  const server = await serve(t, (request) => {
    if (request === 20) for (const end = performance.now() + stallMs; performance.now() < end; );
    return "good";
  });
  const rate = 200;
  const asked = until("300 are asked", () => server.users.length >= 300);
  const result = await openLoop(server.url, { rate, users: 50, seed: 1 }, asked);
  t.equal(result.bad, 0);
  t.equal(result.requests, server.users.length);
  t.ok(result.maxMs >= stallMs);
  t.ok(result.p99Ms >= stallMs * 0.9, "60 of some 300 fell due in it, and the latest 15 of them waited for most of it");
  t.ok(
    server.users.every((user) => user >= 0 && user < 50),
    "users of the range",
  );
  t.ok(new Set(server.users).size > 25);
});

t.test("degraded, wrong and broken answers are bad ones, and count as lost", async (t) => {
  const kinds: Answer[] = ["good", "degraded", "wrong", "good", "broken"];
  const server = await serve(t, (request) => kinds[request] ?? "good");
  const asked = until("some more are asked", () => server.users.length > 2 * kinds.length);
  const result = await openLoop(server.url, { rate: 100, users: 10, seed: 1 }, asked);
  t.equal(result.bad, 3);
  t.equal(result.maxMs, LOST_MS);
  t.equal(result.requests, server.users.length);
});

t.test("nobody there", async (t) => {
  await t.rejects(openLoop("http://127.0.0.1:1", { rate: 100, users: 10, seed: 1 }, delay(10_000, undefined, { ref: false })), /open-loop ended with 1/);
});
