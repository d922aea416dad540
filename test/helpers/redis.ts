/** A private redis-server for one test file: on a unix socket in a folder of its own, gone with the test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import type { Test } from "tap";
import { serverConnection } from "../../dist/redis/client.js";
import { openEmbeddedRedis } from "../../dist/redis/embedded.js";

export interface TestRedis {
  readonly url: string;
  readonly redis: Redis;
  readonly dir: string;
}

/** Starts the server; stops it and removes its folder at the test's teardown. Call it on the file's root `t`. */
export async function startRedis(t: Test): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), "popup-test-"));
  const server = await openEmbeddedRedis(join(dir, "redis"));
  const redis = await serverConnection(server.url);
  t.teardown(async () => {
    redis.disconnect();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  return { url: server.url, redis, dir };
}
