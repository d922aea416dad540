import type { Fault } from "../fault.js";
import { signal } from "../proc.js";
import { readStreamAndFlush } from "../reading.js";

export const flushall: Fault = {
  name: "flushall",
  title: "FLUSHALL under load",
  strike: async ({ redis, destroyed }, hold) => {
    for (const key of await redis.with(readStreamAndFlush)) destroyed.add(key);
    await hold();
  },
};

/** Seconds of reports are in Redis only, instead of the tenth of a second that the worker takes. */
export const flushallUncarried: Fault = {
  name: "flushall-uncarried",
  title: "FLUSHALL while the worker hangs (SIGSTOP): what it has not carried to the store is gone",
  strike: async ({ redis, serve, destroyed }, hold) => {
    const worker = serve.pids("worker");
    for (const pid of worker) signal(pid, "SIGSTOP");
    await hold();
    for (const key of await redis.with(readStreamAndFlush)) destroyed.add(key);
    await hold();
    for (const pid of worker) signal(pid, "SIGCONT");
    await hold();
  },
};
