/** Stream entries as a sink takes them: the events, apart from what is none. */
import type { DeadEvent, PopupEvent } from "../event.js";
import { decodeEvents } from "../redis/events.js";
import type { StreamMark } from "../stream-id.js";
import type { Refusal } from "./sink.js";

/** `fields` is null for an entry that was deleted from the stream while it was pending. */
export type Entry = [id: string, fields: string[] | null];

/** Entries of one stream. */
export interface Taken {
  readonly stream: string;
  /** Before the ids of its entries, which alone are not told from those of other streams; '' where there is only one. */
  readonly label: string;
  /** One or more. */
  readonly entries: readonly Entry[];
}

/** How many events some entries hold. */
export function eventsIn(entries: readonly Entry[]): number {
  return entries.reduce((sum, [, fields]) => sum + (fields?.length ?? 0) / 2, 0);
}

export class Batch<T extends Taken = Taken> {
  readonly events: PopupEvent[] = [];
  /** What does not decode. */
  readonly dead: DeadEvent[] = [];

  constructor(readonly parts: readonly T[]) {
    for (const [id, fields, place, event] of decoded(parts)) {
      if (typeof event === "string") this.dead.push(letter(id, fields, place, event));
      else this.events.push(event);
    }
  }

  /** The last entry of each stream. */
  get last(): StreamMark[] {
    return this.parts.map(({ stream, entries }) => ({ stream, id: entries.at(-1)?.[0] ?? "0-0" }));
  }

  /** The events that a sink refused, to be set aside. They are rare, so their places are only looked for here. */
  refused(refusals: readonly Refusal[]): DeadEvent[] {
    const reasons = new Map(refusals.map(({ index, reason }) => [index, reason]));
    const letters: DeadEvent[] = [];
    let index = 0;
    for (const [id, fields, place, event] of decoded(this.parts)) {
      if (typeof event === "string") continue;
      const reason = reasons.get(index++);
      if (reason !== undefined) letters.push(letter(id, fields, place, reason));
    }
    return letters;
  }
}

function* decoded(parts: readonly Taken[]): Generator<[id: string, fields: readonly string[], place: number, event: PopupEvent | string]> {
  for (const { label, entries } of parts) {
    for (const [id, fields] of entries) {
      if (fields === null) continue;
      for (const [place, event] of decodeEvents(fields).entries()) yield [label + id, fields, place, event];
    }
  }
}

/** Named by its place where the entry holds more than one. */
function letter(id: string, fields: readonly string[], place: number, reason: string): DeadEvent {
  return { streamId: fields.length > 2 ? `${id}#${place}` : id, reason, fields: fields.slice(place * 2, place * 2 + 2) };
}
