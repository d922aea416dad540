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

const TOKEN = /^[A-Za-z0-9._-]{1,64}$/;
const TOKEN_RULE = "1 to 64 characters of A-Z a-z 0-9 . _ -";

/**
 * An id that the app makes up, of a showing or a session; null when there is none.
 * @throws PopupError `invalid`, naming the field
 */
export function readToken(field: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string" || !TOKEN.test(value)) throw invalid(field, "is not an id", TOKEN_RULE);
  return value;
}
