import type { Fault } from "../fault.js";

export const apiKill: Fault = {
  name: "api-kill",
  title: "kill -9 of one of two API processes, then of both",
  breaksConnections: true,
  strike: async ({ serve }, hold) => {
    await serve.kill("api", 1);
    await hold();
    await serve.kill("api");
    await hold();
  },
};
