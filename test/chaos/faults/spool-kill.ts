import type { Fault } from "../fault.js";

/** What was accepted while Redis is away is in a local file only, and its writer dies. */
export const spoolKill: Fault = {
  name: "spool-kill",
  title: "Redis away, and meanwhile kill -9 of every other process; started again without Redis, then with it",
  breaksConnections: true,
  strike: async ({ serve, redis }, hold) => {
    await redis.kill();
    await hold();
    await serve.killAll();
    await serve.start();
    await hold();
    await redis.start();
  },
};
