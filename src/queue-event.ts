/**
 * An event as queues carry it: one line of JSON with a version, the same for RabbitMQ and Kafka. docs/events.schema.json describes it, and
 * the tests hold what is written here against it.
 */
import { type DeadEvent, EVENT_TYPES, isToken, type PopupEvent } from "./event.js";
import { isUserId } from "./user-id.js";

/** Another one when a field changes its meaning or goes; a further field changes nothing for who passes over what they do not know. */
const VERSION = 1;

/** The field of a dead event that was a message of a queue, and not of the stream. */
const MESSAGE_FIELD = "message";

/** Characters of a text in a dead event that are carried: a broker takes about a megabyte, and what is too large for it would hold up all behind it. */
const MOST_TEXT = 50_000;

/**
 * The event's name, the same whenever and wherever it comes up: what is unique of it, with colons between, of which there are none in the
 * first two parts. At most 137 characters.
 */
export function eventId({ type, impressionId, userId }: Pick<PopupEvent, "type" | "impressionId" | "userId">): string {
  return `${type}:${impressionId}:${userId}`;
}

/**
 * Why a queue does not take the event, or undefined where it does: an id that no API process would have let in makes a message that
 * breaks the schema, or has a name that is too long for a broker.
 */
export function refusalOf({ impressionId, sessionId }: PopupEvent): string | undefined {
  if (!isToken(impressionId)) return "the impression id is not 1 to 64 characters of A-Z a-z 0-9 . _ -";
  if (sessionId !== null && !isToken(sessionId)) return "the session id is not 1 to 64 characters of A-Z a-z 0-9 . _ -";
  return undefined;
}

/** The message of an event that {@link refusalOf} has nothing against. The same event is the same text. */
export function encodeEvent(event: PopupEvent): string {
  const { type, campaignId, userId, impressionId, at, overCap, sessionId } = event;
  return JSON.stringify({
    version: VERSION,
    id: eventId(event),
    type,
    campaign_id: campaignId,
    user_id: userId,
    impression_id: impressionId,
    at,
    over_cap: overCap,
    session_id: sessionId,
  });
}

/** The message of what is no event; what is very long of it is cut. */
export function encodeDead({ streamId, reason, fields }: DeadEvent): string {
  return JSON.stringify({ version: VERSION, id: deadId(streamId), type: "dead", stream_id: streamId, reason: cut(reason), fields: fields.map(cut) });
}

function cut(text: string): string {
  return text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT)} … (${text.length} characters)`;
}

export const deadId = (streamId: string): string => `dead:${streamId}`;

export type Decoded = { readonly event: PopupEvent } | { readonly dead: DeadEvent } | { readonly problem: string };

/** What a message says; a problem, in words, where it is none of ours. */
export function decodeMessage(text: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "it is not JSON" };
  }
  if (typeof value !== "object" || value === null) return { problem: "it is not a JSON object" };
  const message = value as Readonly<Record<string, unknown>>;
  if (message.version !== VERSION) return { problem: `its version is ${JSON.stringify(message.version)}, this popup reads ${VERSION}` };
  return message.type === "dead" ? decodeDead(message) : decodeEvent(message);
}

function decodeEvent(message: Readonly<Record<string, unknown>>): Decoded {
  const { campaign_id: campaignId, user_id: userId, impression_id: impressionId, at, over_cap: overCap, session_id: sessionId } = message;
  const type = EVENT_TYPES.find((known) => known === message.type);
  const wrong = (field: string): Decoded => ({ problem: `its ${field} is ${JSON.stringify(message[field])}` });
  if (!type) return wrong("type");
  if (!isCount(campaignId) || campaignId < 1) return wrong("campaign_id");
  if (typeof userId !== "string" || !isUserId(userId)) return wrong("user_id");
  if (typeof impressionId !== "string" || !isToken(impressionId)) return wrong("impression_id");
  if (!isCount(at)) return wrong("at");
  if (typeof overCap !== "boolean") return wrong("over_cap");
  if (sessionId !== null && (typeof sessionId !== "string" || !isToken(sessionId))) return wrong("session_id");
  return { event: { type, campaignId, userId, impressionId, at, overCap, sessionId } };
}

function decodeDead({ stream_id: streamId, reason, fields }: Readonly<Record<string, unknown>>): Decoded {
  if (typeof streamId !== "string" || typeof reason !== "string" || !isTexts(fields)) return { problem: "it is not what a dead event is" };
  return { dead: { streamId, reason, fields } };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((one) => typeof one === "string");

/**
 * A message of a queue that cannot be kept, set aside as what comes by the stream is.
 * @param id of the message; the same for the same one
 * @param text what it said
 */
export function deadMessage(id: string, reason: string, text: string): DeadEvent {
  return { streamId: id, reason, fields: [MESSAGE_FIELD, text] };
}

/** What a dead event of {@link deadMessage} says, undefined for another one. */
export function decodeDeadMessage({ fields }: DeadEvent): Decoded | undefined {
  const [field, text] = fields;
  return field === MESSAGE_FIELD && text !== undefined ? decodeMessage(text) : undefined;
}
