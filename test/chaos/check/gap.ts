/** For how long nobody of a group of users was decided for. */
import type { Entry } from "../history.js";

/**
 * The longest time in which users of one group asked and had no decision, ms: from the first GET that was answered without one to the next
 * that had one; or to the last GET of all.
 * @param groupOf what may be troubled apart from the others: the partition of a user
 */
export function longestGapMs(entries: readonly Entry[], groupOf: (user: string) => string): number {
  const gets = entries.filter((entry) => entry.kind === "get").sort((a, b) => a.answered - b.answered);
  const since = new Map<string, number>();
  let longest = 0;
  for (const { user, sent, answered, answer } of gets) {
    const group = groupOf(user);
    const from = since.get(group);
    if (from !== undefined) longest = Math.max(longest, answered - from);
    if (answer.kind === "none" && answer.degraded !== null) since.set(group, from ?? sent);
    else if (answer.kind === "none" || answer.kind === "popup") since.delete(group);
  }
  return longest;
}
