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

/** Headers that say how far the stream was read when the message was sent: a store that is filled from the queue is then compared with Redis as the worker's is. */
export const MARK_HEADERS = { stream: "popup-stream", id: "popup-read-to" } as const;

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
  /** What its headers say of the stream. */
  readonly mark: StreamMark | undefined;
}

/** @param stream, id what the headers hold, if anything */
export function markOf(stream: unknown, id: unknown): StreamMark | undefined {
  const text = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString() : typeof value === "string" ? value : "");
  const mark = { stream: text(stream), id: text(id) };
  return mark.stream !== "" && /^\d+-\d+$/.test(mark.id) ? mark : undefined;
}
