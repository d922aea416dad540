import type { Fault } from "../fault.js";

export const storeFull: Fault = {
  name: "store-full",
  title: "the disk of the data folder full, then not",
  needs: "mount",
  plan: { smallDisk: { under: "data", mib: 64 } },
  strike: async ({ disk }, hold) => {
    disk.fill();
    await hold();
    await hold();
    disk.empty();
  },
};
