import type { Fault } from "../fault.js";

/** Append-only and fsync before each answer: what Redis has answered, it still has. */
export const redisKill: Fault = {
  name: "redis-kill",
  title: "kill -9 of Redis (append-only), twice",
  strike: async ({ redis }, hold) => {
    for (let times = 0; times < 2; times++) {
      await redis.kill();
      await hold();
      await redis.start();
    }
  },
};
