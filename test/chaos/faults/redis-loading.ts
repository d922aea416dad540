import type { Fault } from "../fault.js";

/** µs for each command of the append-only file: some seconds in which it answers everything with LOADING. */
const DELAY = ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"];

export const redisLoading: Fault = {
  name: "redis-loading",
  title: "kill -9 of Redis, which then takes long to load its data",
  strike: async ({ redis }, hold) => {
    await redis.kill();
    await redis.start(DELAY, false);
    await hold();
    await redis.untilLoaded();
  },
};
