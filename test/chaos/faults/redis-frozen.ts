import type { Fault } from "../fault.js";

export const redisFrozen: Fault = {
  name: "redis-frozen",
  title: "SIGSTOP of Redis: hung, not dead; then SIGCONT",
  strike: async ({ redis }, hold) => {
    redis.freeze();
    await hold();
    redis.thaw();
  },
};
