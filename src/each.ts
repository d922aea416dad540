/** Work for each of many. */

/**
 * Works on all of them at the same time. The results are in the order of the items.
 * @throws the first error, when all are over: nothing goes on behind the caller's back
 */
export async function atOnce<T, R>(items: readonly T[], work: (item: T) => R | Promise<R>): Promise<R[]> {
  const outcomes = await Promise.allSettled(items.map(async (item) => work(item)));
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

/** {@link atOnce} for some after some: `together` of them are worked on at the same time. */
export async function inSlices<T, R>(items: readonly T[], together: number, work: (item: T) => R | Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += together) results.push(...(await atOnce(items.slice(from, from + together), work)));
  return results;
}
