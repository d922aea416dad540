/** Many calls, some of them at the same time. */

/** Calls `work` with 0 to count - 1, so many of them at the same time. */
export async function inTurns(count: number, together: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(together, count) }, async () => {
      while (next < count) await work(next++);
    }),
  );
}
