/** Waiting for a condition instead of for a time. */
import { setTimeout as delay } from "node:timers/promises";

/** The first defined, non-false answer of `probe`; throws when none comes. @param what names the condition in the error */
export async function until<T>(what: string, probe: () => T | Promise<T>, timeoutMs = 30_000): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<Exclude<T, false>>;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await delay(20);
  }
}
