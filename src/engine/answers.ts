/** What the engine is asked and what it answers. */
import type { EventType } from "../event.js";

/**
 * Why there is no answer: Redis was too slow; it is away or fails; nothing is published; what users have seen is being
 * restored; the event stream takes no more.
 */
export type Trouble = "timeout" | "unavailable" | "unpublished" | "recovering" | "full";

/** What is answered when there is no other answer. */
export interface Degraded {
  readonly kind: "degraded";
  readonly cause: Trouble;
}

export type Decision = { readonly kind: "show"; readonly campaignId: number; readonly json: string } | { readonly kind: "none" } | Degraded;

export interface Report {
  readonly type: EventType;
  readonly campaignId: number;
  readonly userId: string;
  /** Null when the app gave none; the engine then makes one, and a retry cannot be recognised. */
  readonly impressionId: string | null;
  readonly sessionId: string | null;
}

export type Receipt =
  | { readonly kind: "counted"; readonly total: number }
  | { readonly kind: "duplicate" | "capped" | "recorded" }
  /** Accepted on this machine's disk; counted when Redis is back. */
  | { readonly kind: "spooled" }
  /** No campaign that takes reports. */
  | { readonly kind: "unknown" }
  /** Not taken, and would not be later: the user's record is damaged. */
  | { readonly kind: "failed" }
  | Degraded;

const made = new Map<Trouble, Degraded>();

/** The degraded answer of a cause, the same one every time. */
export function degraded(cause: Trouble): Degraded {
  let answer = made.get(cause);
  if (!answer) made.set(cause, (answer = { kind: "degraded", cause }));
  return answer;
}
