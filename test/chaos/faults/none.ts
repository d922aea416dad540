import type { Fault } from "../fault.js";

export const none: Fault = {
  name: "none",
  title: "nothing breaks",
  strike: (_world, hold) => hold(),
};
