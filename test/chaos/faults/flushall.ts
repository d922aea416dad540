import type { Fault } from "../fault.js";
import { readStreamAndFlush } from "../reading.js";

export const flushall: Fault = {
  name: "flushall",
  title: "FLUSHALL under load",
  strike: async ({ redis, destroyed }, hold) => {
    for (const key of await redis.with(readStreamAndFlush)) destroyed.add(key);
    await hold();
  },
};
