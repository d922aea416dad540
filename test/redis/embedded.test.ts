/** The embedded server: its lock, and how long it is waited for. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import t from "tap";
import { openEmbeddedRedis } from "../../dist/redis/embedded.js";

const root = mkdtempSync(join(tmpdir(), "popup-embedded-"));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

for (const [whose, pid] of [
  ["this process' own pid, from before a restart", process.pid],
  ["a pid that is gone", 2 ** 30],
] as const) {
  t.test(`a left-over lock with ${whose}`, async (t) => {
    const dir = join(root, String(pid));
    mkdirSync(dir);
    writeFileSync(join(dir, "redis.lock"), String(pid));
    const server = await openEmbeddedRedis(dir);
    t.equal(server.owned, true);
    const second = await openEmbeddedRedis(dir);
    t.equal(second.owned, false, "a second user shares it");
    await second.stop();
    t.equal(await server.alive(), true, "and leaves it running");
    await server.stop();
    t.equal(existsSync(join(dir, "redis.lock")), false);
    writeFileSync(join(dir, "redis.lock"), "1");
    await server.stop();
    t.equal(existsSync(join(dir, "redis.lock")), true, "a second stop leaves another's lock alone");
  });
}

t.test("a server that reads its data is waited for, however long it takes, by its owner and by who comes then", async (t) => {
  const dir = join(root, "data");
  const first = await openEmbeddedRedis(dir);
  const redis = client(first.url);
  const KEYS = 1_000_000;
  for (let from = 0; from < KEYS; from += 50_000) await redis.eval("for i = ARGV[1], ARGV[1] + 49999 do redis.call('SET', 'k' .. i, i) end", 0, String(from));
  redis.disconnect();
  await first.stop();
  const began = performance.now();
  const PATIENCE_MS = 100;
  const again = openEmbeddedRedis(dir, PATIENCE_MS);
  const [server, other] = await Promise.all([again, openEmbeddedRedis(dir, PATIENCE_MS)]);
  t.ok(performance.now() - began > 2 * PATIENCE_MS, "it took longer than a silent one has");
  t.same([server.owned, other.owned], [true, false]);
  const reader = client(server.url);
  t.equal(await reader.dbsize(), KEYS);
  reader.disconnect();
  await server.stop();
});

t.test("a server without an owner that says nothing: no second one is started on its file", async (t) => {
  const dir = join(root, "silent");
  const server = await openEmbeddedRedis(dir);
  const redis = client(server.url);
  const pid = Number(/^process_id:(\d+)/m.exec(await redis.info("server"))?.[1]);
  redis.disconnect();
  writeFileSync(join(dir, "redis.lock"), String(2 ** 30));
  process.kill(pid, "SIGSTOP");
  try {
    await t.rejects(openEmbeddedRedis(dir, 100), { code: "unavailable", message: `a redis-server listens on ${join(dir, "redis.sock")} and does not answer` });
  } finally {
    process.kill(pid, "SIGCONT");
  }
  const taken = await openEmbeddedRedis(dir);
  t.equal(taken.owned, true, "one that answers is taken over");
  await taken.stop();
  t.equal(await taken.alive(), false);
  await server.stop();
});

function client(url: string): Redis {
  return new Redis(url.slice("unix://".length));
}
