import type { Fault } from "../fault.js";

export const allKill: Fault = {
  name: "all-kill",
  title: "kill -9 of every process and of Redis at once; started again",
  breaksConnections: true,
  strike: async ({ serve, redis }, hold) => {
    await Promise.all([serve.killAll(), redis.kill()]);
    await redis.start();
    await serve.start();
    await hold();
  },
};
