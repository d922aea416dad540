/** Which servers' counters are whole, as `lua/verify.lua` has said it. */
import type { RedisLink } from "./cluster.js";
import type { Keys } from "./keys.js";
import { runIdOf } from "./run-id.js";

export interface Verified {
  /**
   * The server that was looked at; and in a cluster the other masters of that moment: what they have of the partition has come to them whole,
   * by a slot that was moved. A replica that takes its master's place is not among them.
   */
  readonly runIds: readonly string[];
  /** Another one each time that they were looked at. */
  readonly word: string;
}

/** @param text the value of {@link Keys.verified}: run ids with commas between, a blank, and what tells one look from another */
export function readVerified(text: string | null): Verified | null {
  if (text === null) return null;
  const [runIds = "", word = ""] = text.split(" ");
  return { runIds: runIds.split(","), word };
}

/** True when the counters of the server that has the keys were found whole. */
export async function countersAreWhole(redis: RedisLink, keys: Keys): Promise<boolean> {
  const [text, runId] = await Promise.all([redis.get(keys.verified), runIdOf(redis, keys.verified)]);
  return readVerified(text)?.runIds.includes(runId) === true;
}
