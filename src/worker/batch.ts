/** Stream entries as a sink takes them: the events, apart from what is none. */
import type { PopupEvent } from "../event.js";
import { decodeEvents } from "../redis/events.js";
import type { DeadEvent } from "../store/dead-events.js";
import type { Refusal } from "./sink.js";

/** `fields` is null for an entry that was deleted from the stream while it was pending. */
export type Entry = [id: string, fields: string[] | null];

export class Batch {
  readonly events: PopupEvent[] = [];
  /** What does not decode. */
  readonly dead: DeadEvent[] = [];

  /** @param entries one or more */
  constructor(readonly entries: readonly Entry[]) {
    for (const [id, fields, place, event] of decoded(entries)) {
      if (typeof event === "string") this.dead.push(letter(id, fields, place, event));
      else this.events.push(event);
    }
  }

  /** The id of the last entry. */
  get last(): string {
    return this.entries.at(-1)?.[0] ?? "0-0";
  }

  /** The events that a sink refused, to be set aside. They are rare, so their places are only looked for here. */
  refused(refusals: readonly Refusal[]): DeadEvent[] {
    const reasons = new Map(refusals.map(({ index, reason }) => [index, reason]));
    const letters: DeadEvent[] = [];
    let index = 0;
    for (const [id, fields, place, event] of decoded(this.entries)) {
      if (typeof event === "string") continue;
      const reason = reasons.get(index++);
      if (reason !== undefined) letters.push(letter(id, fields, place, reason));
    }
    return letters;
  }
}

function* decoded(entries: readonly Entry[]): Generator<[id: string, fields: readonly string[], place: number, event: PopupEvent | string]> {
  for (const [id, fields] of entries) {
    if (fields === null) continue;
    for (const [place, event] of decodeEvents(fields).entries()) yield [id, fields, place, event];
  }
}

/** Named by its place where the entry holds more than one. */
function letter(id: string, fields: readonly string[], place: number, reason: string): DeadEvent {
  return { streamId: fields.length > 2 ? `${id}#${place}` : id, reason, fields: fields.slice(place * 2, place * 2 + 2) };
}
