import type { Fault } from "../fault.js";

export const supervisorKill: Fault = {
  name: "supervisor-kill",
  title: "kill -9 of the supervisor; started again",
  breaksConnections: true,
  strike: async ({ serve }, hold) => {
    await serve.killSupervisor();
    await serve.start();
    await hold();
  },
};
