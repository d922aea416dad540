/** Where events end up. A sink that returns has kept them; the worker acknowledges after that. */
import type { DeadEvent, PopupEvent } from "../event.js";
import type { EventTable, Refusal } from "../store/events.js";
import type { StreamMark } from "../stream-id.js";

export type { Refusal };

export interface Written {
  /** Events that the sink did not have yet. */
  readonly added: number;
  /** Events that it will never take, whatever is done. The others of the batch are kept. */
  readonly refused: readonly Refusal[];
}

export interface Sink {
  /** Also the name of its consumer group: sinks do not hold each other up. */
  readonly name: string;
  /**
   * Keeps the batch for good; an event that it has already changes nothing.
   * @param last the batch's last entry of each stream that it holds some of
   * @throws when it can keep nothing now; the batch is given to it again
   */
  write(events: readonly PopupEvent[], dead: readonly DeadEvent[], last: readonly StreamMark[]): Promise<Written>;
}

/** Events into the store, one transaction a batch. */
export function sqliteSink(events: EventTable): Sink {
  return {
    name: "sqlite",
    write: async (batch, dead, last) => {
      const refused: Refusal[] = [];
      const added = events.write(batch, dead, last, (refusal) => refused.push(refusal));
      return { added, refused };
    },
  };
}
