/** The sessions of a seed. */
import { Random } from "../helpers/random.js";
import { brokenStep } from "./broken.js";
import { rightStep } from "./right.js";
import type { Session, Step } from "./session.js";
import { wrongStep } from "./wrong.js";

const MOST_STEPS = 12;

/** One of a seed's sessions; the same for the same seed and number. */
export function sessionOf(seed: number, number: number): Session {
  // Two numbers next to each other begin far apart.
  const random = new Random(seed ^ Math.imul(number + 1, 0x9e3779b1));
  const steps: Step[] = [];
  // What follows on the connection tells whether the server took a request's end for where it is.
  for (let left = random.between(1, MOST_STEPS); left > 0; left--) {
    const last = random.chance(0.3);
    const step = last ? brokenStep(random) : random.chance(0.5) ? rightStep(random) : wrongStep(random);
    steps.push(step);
    if (step.ending !== "stay") break;
  }
  return { seed, number, steps };
}
