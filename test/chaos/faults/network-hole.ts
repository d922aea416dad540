import type { Fault } from "../fault.js";

export const networkHole: Fault = {
  name: "network-hole",
  title: "what is sent to Redis vanishes, and connections hang",
  plan: { proxied: true },
  strike: async ({ proxy }, hold) => {
    proxy.set({ hole: true });
    await hold();
    proxy.set();
  },
};
