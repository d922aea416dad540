import type { Fault } from "../fault.js";

export const networkSlow: Fault = {
  name: "network-slow",
  title: "5 to 200 ms on each way to Redis and back, and a stall",
  plan: { proxied: true },
  strike: async ({ proxy }, hold) => {
    for (const delayMs of [
      [5, 20],
      [20, 60],
      [60, 200],
    ] as const) {
      proxy.set({ delayMs });
      await hold();
    }
    proxy.set({ stalled: true });
    await hold();
    proxy.set();
  },
};
