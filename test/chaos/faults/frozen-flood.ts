import type { Fault } from "../fault.js";

const GETS = 10_000;
const TOGETHER = 500;

export const frozenFlood: Fault = {
  name: "frozen-flood",
  title: `SIGSTOP of Redis, and ${GETS.toLocaleString("en-US")} GETs at once, ${TOGETHER} waiting at any time`,
  strike: async ({ redis }, hold, load) => {
    redis.freeze();
    await load.flood(GETS, TOGETHER);
    await hold();
    redis.thaw();
  },
};
