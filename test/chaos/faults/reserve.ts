import type { Fault } from "../fault.js";

const RESERVE_S = 10;

export const reserveTwoDevices: Fault = {
  name: "reserve",
  title: `nothing breaks; reservation of ${RESERVE_S} s, and every second login is from two devices at once`,
  plan: { reserveS: RESERVE_S },
  twoDevices: 0.5,
  strike: (_world, hold) => hold(),
};

export const reserveRedisKill: Fault = {
  name: "reserve-redis-kill",
  title: `the same, and kill -9 of Redis`,
  plan: { reserveS: RESERVE_S },
  twoDevices: 0.5,
  strike: async ({ redis }, hold) => {
    await redis.kill();
    await hold();
    await redis.start();
  },
};
