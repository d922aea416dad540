import type { Fault } from "../fault.js";

/** Enough for some reports, not for all of them. */
const LEFT_BYTES = 8_192;

export const spoolFull: Fault = {
  name: "spool-full",
  title: "Redis away, and the disk of the spool nearly full",
  needs: "mount",
  plan: { smallDisk: { under: "spool", mib: 8 } },
  strike: async ({ disk, redis }, hold) => {
    disk.fill(LEFT_BYTES);
    await redis.kill();
    await hold();
    await redis.start();
    await hold();
    disk.empty();
  },
};
