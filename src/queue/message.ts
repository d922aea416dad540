/** What is handed to a queue, and what comes out of one. */
import type { DeadEvent, PopupEvent } from "../event.js";
import { deadId, encodeDead, encodeEvent, eventId, refusalOf } from "../queue-event.js";
import type { StreamMark } from "../stream-id.js";
import type { Refusal } from "../worker/sink.js";

export interface QueueMessage {
  /** Of the event; by it who reads the queue knows one that comes twice. */
  readonly id: string;
  /** The user: what is keyed by it stays in order. Null for what is no event. */
  readonly key: string | null;
  /** `impression.7`: the type and the campaign; `dead` for what is no event. */
  readonly route: string;
  /** JSON. */
  readonly text: string;
}

/**
 * The header of a batch's last message that says how far the streams were read: a store that is filled from the queue is then compared
 * with Redis as the worker's is. JSON: `{"impressions":"1790000000000-0"}`.
 */
export const READ_TO_HEADER = "popup-read-to";

export function readToText(marks: readonly StreamMark[]): string {
  return JSON.stringify(Object.fromEntries(marks.map(({ stream, id }) => [stream, id])));
}

export interface Messages {
  readonly messages: readonly QueueMessage[];
  readonly refused: readonly Refusal[];
}

/** The messages of a batch, in its order. */
export function messagesOf(events: readonly PopupEvent[], dead: readonly DeadEvent[]): Messages {
  const messages: QueueMessage[] = [];
  const refused: Refusal[] = [];
  for (const [index, event] of events.entries()) {
    const reason = refusalOf(event);
    if (reason !== undefined) refused.push({ index, reason });
    else messages.push({ id: eventId(event), key: event.userId, route: `${event.type}.${event.campaignId}`, text: encodeEvent(event) });
  }
  for (const one of dead) messages.push({ id: deadId(one.streamId), key: null, route: "dead", text: encodeDead(one) });
  return { messages, refused };
}

/** A message that came out of a queue. */
export interface Delivered {
  /** For one that cannot be kept: the time of the message, epoch ms, and what tells it from all others. */
  readonly asideId: string;
  readonly text: string;
  /** What its header says of the streams. */
  readonly marks: readonly StreamMark[];
}

/** @param value of the header, if there is one; what is no such value says nothing */
export function marksIn(value: unknown): StreamMark[] {
  const text = Buffer.isBuffer(value) ? value.toString() : value;
  if (typeof text !== "string") return [];
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof read !== "object" || read === null) return [];
  return Object.entries(read).flatMap(([stream, id]) => (typeof id === "string" && /^\d+-\d+$/.test(id) ? [{ stream, id }] : []));
}
