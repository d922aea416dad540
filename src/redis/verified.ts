/** Which server's counters are whole, as `lua/verify.lua` has said it. */
import type { Redis } from "ioredis";
import type { Keys } from "./keys.js";
import { runIdOf } from "./run-id.js";

export interface Verified {
  readonly runId: string;
  /** Another one each time that they were looked at. */
  readonly word: string;
}

/** @param text the value of {@link Keys.verified}: the run id, a blank, and what tells one look from another */
export function readVerified(text: string | null): Verified | null {
  return text === null ? null : { runId: text.split(" ")[0] ?? "", word: text };
}

/** True when the counters of the server at the other end were found whole. */
export async function countersAreWhole(redis: Redis, keys: Keys): Promise<boolean> {
  const [text, runId] = await Promise.all([redis.get(keys.verified), runIdOf(redis)]);
  return readVerified(text)?.runId === runId;
}
