/** What the engine counts and records: one event per accepted report, as it travels stream → worker → sink. */
import { invalid } from "./errors.js";

export const EVENT_TYPES = ["impression", "click", "dismiss"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface PopupEvent {
  readonly type: EventType;
  readonly campaignId: number;
  readonly userId: string;
  /** The app's name for the showing; (userId, type, impressionId) is counted once. */
  readonly impressionId: string;
  /** Epoch ms by the clock of the API process that took the report. */
  readonly at: number;
  /** True for an impression that came when a cap left no room: recorded, not counted. */
  readonly overCap: boolean;
  readonly sessionId: string | null;
}

/** What came by the stream and cannot be kept as an event, set aside with the reason. */
export interface DeadEvent {
  /** The id of its stream entry, `#place` behind it where the entry holds more than one. */
  readonly streamId: string;
  /** What is wrong with it. */
  readonly reason: string;
  /** Its field and value. */
  readonly fields: readonly string[];
}

const TOKEN = /^[A-Za-z0-9._-]{1,64}$/;
const TOKEN_RULE = "1 to 64 characters of A-Z a-z 0-9 . _ -";

/**
 * An id that the app makes up, of a showing or a session; null when there is none.
 * @throws PopupError `invalid`, naming the field
 */
export function readToken(field: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string" || !isToken(value)) throw invalid(field, "is not an id", TOKEN_RULE);
  return value;
}

/** True for a text that {@link readToken} takes. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}
