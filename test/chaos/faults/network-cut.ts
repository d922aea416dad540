import type { Fault } from "../fault.js";

export const networkCut: Fault = {
  name: "network-cut",
  title: "connections to Redis cut in the middle of a reply",
  plan: { proxied: true },
  strike: async ({ proxy }, hold) => {
    proxy.set({ cut: 0.05 });
    await hold();
    await hold();
    proxy.set();
  },
};
