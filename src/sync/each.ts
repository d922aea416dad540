/** Work for each of many, some at a time. */

/**
 * The results, in the order of the items. `together` of them are worked on at the same time.
 * @throws the first error, when those that were under way are over: nothing goes on behind the caller's back
 */
export async function inSlices<T, R>(items: readonly T[], together: number, work: (item: T) => R | Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += together) {
    const outcomes = await Promise.allSettled(items.slice(from, from + together).map(async (item) => work(item)));
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") throw outcome.reason;
      results.push(outcome.value);
    }
  }
  return results;
}
