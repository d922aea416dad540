import { join } from "node:path";
import type { Fault } from "../fault.js";
import { streamOf } from "./old-snapshot.js";

/** The one loss that nothing is left to make good: what Redis had and the store not yet, and those who had told it. */
export const allLost: Fault = {
  name: "all-lost",
  title: "kill -9 of every process and of Redis at once, and Redis' data lost",
  breaksConnections: true,
  forgets: true,
  strike: async ({ serve, redis, dir, destroyed }, hold) => {
    await Promise.all([serve.killAll(), redis.kill()]);
    const gone = redis.dir;
    redis.dir = join(dir, "redis-empty");
    await redis.start();
    for (const key of await streamOf(gone)) destroyed.add(key);
    await serve.start();
    await hold();
  },
};
