import type { Fault } from "../fault.js";

export const redisFull: Fault = {
  name: "redis-full",
  title: "Redis' maxmemory reached (noeviction), then lifted",
  strike: async ({ redis }, hold) => {
    await redis.with((connection) => connection.config("SET", "maxmemory", "1mb"));
    await hold();
    await redis.with((connection) => connection.config("SET", "maxmemory", "0"));
  },
};
