import { freePort } from "../../../dist/private-engine.js";
import type { Fault } from "../fault.js";

export const redisReadOnly: Fault = {
  name: "redis-read-only",
  title: "Redis made a replica (read-only), then a master again",
  strike: async ({ redis }, hold) => {
    // Nothing listens there: it never synchronizes, and keeps its data.
    const nowhere = await freePort();
    await redis.with((connection) => connection.replicaof("127.0.0.1", nowhere));
    await hold();
    await redis.with((connection) => connection.replicaof("NO", "ONE"));
  },
};
