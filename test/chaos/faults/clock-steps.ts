import type { Fault } from "../fault.js";

const HOUR_S = 3_600;

export const clockSteps: Fault = {
  name: "clock-steps",
  title: "the engine's clock steps an hour ahead, back, an hour behind, and back",
  needs: "faketime",
  plan: { fakedClock: true },
  strike: async ({ clock }, hold) => {
    for (const seconds of [HOUR_S, 0, -HOUR_S, 0]) {
      clock.set(seconds);
      await hold();
    }
  },
};
