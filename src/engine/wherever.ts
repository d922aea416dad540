/** Asking for a partition of a Redis Cluster wherever its slot is, or goes meanwhile. */
import { setTimeout as delay } from "node:timers/promises";
import { slotTroubleOf } from "../redis/slots.js";
import { type Degraded, degraded } from "./answers.js";
import type { Pending } from "./turns.js";

/** `stale`: another list is published than was asked with. Otherwise why nothing was answered, or that it was. */
export type Outcome = Degraded | "done" | "stale";

/** How soon a server is asked again for a slot that is on its way, and for how long: the next call waits for this one, ms. */
const AGAIN_MS = 4;
const MOVING_MS = 20;

export interface Whereabouts {
  /** Whether the server that is known to have the partition can be asked. */
  readonly usable: () => boolean;
  /** Looks again which server has it. */
  readonly onMoved: () => Promise<void>;
}

/**
 * Asks the server that has the partition, and the one that it has moved to. While it is on its way each user is asked for alone, because all
 * keys of some are on one server still, or already; the others are asked for again, for a short time.
 * @param ask asks for some of the requests; rejects with what the server answers
 */
export async function wherever<P extends Pending<Degraded>>(
  asks: readonly P[],
  ask: (some: readonly P[]) => Promise<Outcome>,
  where: Whereabouts,
  until?: number,
): Promise<Outcome> {
  let moved = false;
  let patience = until;
  for (;;) {
    const open = asks.filter(({ answered }) => !answered);
    if (open.length === 0) return "done";
    try {
      // A server that has it anew is asked when it is known who that is.
      if (!moved || where.usable()) return await ask(open);
    } catch (error) {
      const trouble = slotTroubleOf(error);
      if (trouble === undefined) throw error;
      if (trouble === "moved") moved = true;
      else {
        const end = (patience ??= performance.now() + MOVING_MS);
        if (open.length > 1) return worst(await Promise.allSettled(open.map((one) => wherever([one], ask, where, end))));
        if (performance.now() > end) return degraded("unavailable");
      }
    }
    if (moved) await where.onMoved();
    await delay(AGAIN_MS);
  }
}

/** What came of calls for one request each: the first that was not answered, if there is one. @throws the first error */
function worst(outcomes: readonly PromiseSettledResult<Outcome>[]): Outcome {
  let worst: Outcome = "done";
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") throw outcome.reason;
    if (worst === "done") worst = outcome.value;
  }
  return worst;
}
