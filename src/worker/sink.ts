/** Where events end up. A sink that returns has kept them; the worker acknowledges after that. */
import type { PopupEvent } from "../event.js";
import type { StreamMark } from "../stream-id.js";
import type { DeadEvent, EventTable } from "../store/events.js";

export interface Sink {
  /** Also the name of its consumer group: sinks do not hold each other up. */
  readonly name: string;
  /**
   * Keeps the batch for good; an event that it has already changes nothing. Resolves with how many were new.
   * @param last the batch's last entry
   */
  write(events: readonly PopupEvent[], dead: readonly DeadEvent[], last: StreamMark): Promise<number>;
}

/** Events into the store, one transaction a batch. */
export function sqliteSink(events: EventTable): Sink {
  return { name: "sqlite", write: async (batch, dead, last) => events.write(batch, dead, last) };
}
