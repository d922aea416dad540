import type { Fault } from "../fault.js";

export const workerKill: Fault = {
  name: "worker-kill",
  title: "kill -9 of the worker, three times",
  strike: async ({ serve }, hold) => {
    for (let times = 0; times < 3; times++) {
      await serve.kill("worker");
      await hold();
    }
  },
};
