/** The embedded server: its lock, and how long it is waited for. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Redis } from "ioredis";
import t from "tap";
import { openEmbeddedRedis } from "../../dist/redis/embedded.js";
import { until } from "../helpers/until.js";

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
  const KEYS = 2_000;
  await redis.mset(Array.from({ length: KEYS }, (_, i) => [`key-${i}`, `value ${i}`]).flat());
  await redis.bgrewriteaof();
  await until("the file is rewritten", async () => /^aof_rewrite_in_progress:0/m.test(await redis.info("persistence")));
  redis.disconnect();
  await first.stop();
  // A real server that takes 2 ms for every key, and looks at its connections meanwhile.
  const bin = join(root, "bin");
  const path = process.env.PATH ?? "";
  const real = path
    .split(delimiter)
    .map((folder) => join(folder, "redis-server"))
    .find((file) => existsSync(file));
  mkdirSync(bin);
  writeFileSync(join(bin, "redis-server"), `#!/bin/sh\nexec ${real} "$@" --key-load-delay 2000 --loading-process-events-interval-bytes 1024\n`, {
    mode: 0o755,
  });
  process.env.PATH = `${bin}${delimiter}${path}`;
  t.teardown(() => {
    process.env.PATH = path;
  });
  const began = performance.now();
  const PATIENCE_MS = 1_500;
  const [server, other] = await Promise.all([openEmbeddedRedis(dir, PATIENCE_MS), openEmbeddedRedis(dir, PATIENCE_MS)]);
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
