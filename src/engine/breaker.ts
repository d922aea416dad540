/**
 * Stops asking a Redis that fails: after some calls in a row that failed or came too late, requests are answered
 * at once, and only now and then a call is made to see whether it works again.
 */

/** Calls in a row. One may fail for its own reasons. */
const FAILURES = 3;
/** How long no call is made: this at first, twice as long after each further failure, ms. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

export class Breaker {
  #failures = 0;
  #pausedUntil = 0;
  #pauseMs = FIRST_PAUSE_MS;

  /** True from the last of the failures until a call works. */
  get open(): boolean {
    return this.#failures >= FAILURES;
  }

  /** Whether a call may be made. @param now ms of performance.now() */
  allows(now: number): boolean {
    return !this.open || now >= this.#pausedUntil;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** @param now ms of performance.now() */
  failed(now: number): void {
    this.#failures++;
    if (!this.open) return;
    this.#pausedUntil = now + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
