/** When requests are due: evenly spread, whatever becomes of the earlier ones (an open loop). */

/** One process' share of a rate: of all requests in turn, every `of`-th, beginning with the `index`-th. */
export interface Share {
  readonly index: number;
  readonly of: number;
}

export class Schedule {
  #next = 0;

  /**
   * @param startMs when the first request of all is due
   * @param ratePerS requests per second, all processes together
   */
  constructor(
    private readonly startMs: number,
    private readonly ratePerS: number,
    private readonly share: Share,
  ) {}

  /** When the next request is due, ms. */
  get due(): number {
    return this.#due(this.#next);
  }

  take(): number {
    const due = this.due;
    this.#next++;
    return due;
  }

  /** How many are due in the time from `fromMs` until just before `toMs` and are not taken. */
  overdue(fromMs: number, toMs: number): number {
    return Math.max(0, this.#before(toMs) - Math.max(this.#next, this.#before(fromMs)));
  }

  #due(n: number): number {
    return this.startMs + ((n * this.share.of + this.share.index) * 1_000) / this.ratePerS;
  }

  #before(ms: number): number {
    let n = Math.max(0, Math.ceil((((ms - this.startMs) * this.ratePerS) / 1_000 - this.share.index) / this.share.of));
    // The quotient may be off by a rounding; what is due when is said in one place.
    while (n > 0 && this.#due(n - 1) >= ms) n--;
    while (this.#due(n) < ms) n++;
    return n;
  }
}
