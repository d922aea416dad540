/** Dead events given to the store once more, after what was wrong has been put right. */
import type { DeadEvent, PopupEvent } from "../event.js";
import { decodeDeadMessage } from "../queue-event.js";
import { decodeEvents } from "../redis/events.js";
import type { Store } from "../store/store.js";

/**
 * Tries each event by itself; one that is kept is dead no more, and one that is not gets the reason of now.
 * @returns those that are dead still
 */
export function retryDead(store: Store, letters: readonly DeadEvent[]): DeadEvent[] {
  return letters.flatMap((letter) => {
    const left = store.transaction(() => retryOne(store, letter));
    return left ? [left] : [];
  });
}

function retryOne(store: Store, letter: DeadEvent): DeadEvent | undefined {
  const [event = "it has no fields"] = decoded(letter);
  let reason = typeof event === "string" ? event : undefined;
  if (typeof event !== "string") store.events.write([event], [], undefined, (refusal) => (reason = refusal.reason));
  if (reason !== undefined) {
    const left = { ...letter, reason };
    store.deadEvents.add(left);
    return left;
  }
  store.deadEvents.remove(letter.streamId);
  store.audit.record("dead.retry", `dead:${letter.streamId}`, letter, null);
  return undefined;
}

/** What came by a queue is a message, what came by the stream its field and value. */
function decoded(letter: DeadEvent): (PopupEvent | string)[] {
  const message = decodeDeadMessage(letter);
  if (message === undefined) return decodeEvents(letter.fields);
  return ["event" in message ? message.event : "problem" in message ? message.problem : message.dead.reason];
}
