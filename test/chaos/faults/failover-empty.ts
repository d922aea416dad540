import { join } from "node:path";
import type { Fault } from "../fault.js";
import { streamOf } from "./old-snapshot.js";

export const failoverEmpty: Fault = {
  name: "failover-empty",
  title: "failover to an empty Redis at the same address",
  strike: async ({ redis, dir, destroyed }, hold) => {
    await redis.kill();
    const gone = redis.dir;
    redis.dir = join(dir, "redis-empty");
    await redis.start();
    for (const key of await streamOf(gone)) destroyed.add(key);
    await hold();
  },
};
