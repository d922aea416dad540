import { cpSync, renameSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../../dist/private-engine.js";
import type { Fault } from "../fault.js";
import { readStream } from "../reading.js";
import { RedisServer } from "../redis-server.js";

export const oldSnapshot: Fault = {
  name: "old-snapshot",
  title: "Redis replaced by an older copy of its data",
  strike: async ({ redis, dir, destroyed }, hold) => {
    const [copy, gone] = [join(dir, "redis-copy"), join(dir, "redis-gone")];
    // As a backup of a running server is taken: the last command in it may be half.
    cpSync(redis.dir, copy, { recursive: true });
    await hold();
    await redis.kill();
    renameSync(redis.dir, gone);
    renameSync(copy, redis.dir);
    await redis.start();
    for (const key of await streamOf(gone)) destroyed.add(key);
    await hold();
  },
};

/** What was in the stream of a data folder that is out of use. */
export async function streamOf(dir: string): Promise<Set<string>> {
  const server = new RedisServer(dir, await freePort(), "everysec");
  await server.start();
  try {
    return await server.with(readStream);
  } finally {
    await server.kill();
  }
}
