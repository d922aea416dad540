import type { Fault } from "../fault.js";

export const syncKill: Fault = {
  name: "sync-kill",
  title: "kill -9 of sync, three times",
  strike: async ({ serve }, hold) => {
    for (let times = 0; times < 3; times++) {
      await serve.kill("sync");
      await hold();
    }
  },
};
