/**
 * User ids. One function decides what an id is, for the loader and for HTTP alike,
 * so that `007` and `7` are different users everywhere.
 */
import { invalid } from "./errors.js";

/** The largest integer id: audiences address users by a bit, and Redis strings end at 2^32 bits. */
export const MAX_INTEGER_ID = 4_294_967_295;

const USER_ID = /^[A-Za-z0-9._:@-]{1,64}$/;
const CANONICAL_DECIMAL = /^(?:0|[1-9][0-9]{0,9})$/;
export const USER_ID_RULE = "1 to 64 characters of A-Z a-z 0-9 . _ : @ -";

/** True when the text may name a user at all. */
export function isUserId(text: string): boolean {
  return USER_ID.test(text);
}

/**
 * The number of an integer id (the canonical decimal of 0…4,294,967,295), or undefined for a
 * string id. Call it with a text that {@link isUserId} accepts.
 */
export function integerId(id: string): number | undefined {
  if (!CANONICAL_DECIMAL.test(id)) return undefined;
  const value = Number(id);
  return value <= MAX_INTEGER_ID ? value : undefined;
}

/**
 * A user id from JSON or a query: a string, or a non-negative safe integer.
 * @throws PopupError `invalid`, naming `user_id`
 */
export function parseUserId(value: unknown): string {
  if (value === undefined || value === null || value === "") {
    throw invalid("user_id", "is missing", `name the user: ${USER_ID_RULE}`);
  }
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && value >= 0) return String(value);
    throw invalid("user_id", "is a number that is not a whole one of 0 to 2^53-1", "send such an id as a string");
  }
  if (typeof value !== "string") throw invalid("user_id", "is neither a string nor a number", USER_ID_RULE);
  if (!isUserId(value)) throw invalid("user_id", "has a wrong length or a character that ids do not have", USER_ID_RULE);
  return value;
}
