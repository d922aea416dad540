/** The measured time second by second, for the live figures and the charts. */
import { type Latency, newLatency, packLatency, recordMs } from "./latency.js";
import type { Second } from "./messages.js";
import { isError } from "./outcome.js";
import { isTimed } from "./tally.js";

export class Seconds {
  #index = 0;
  #requests = 0;
  #errors = 0;
  readonly #latency: Latency = newLatency(2);
  readonly #timer: NodeJS.Timeout;

  /** @param from when the measured time begins, ms of `performance.now()` */
  constructor(
    private readonly from: number,
    private readonly onSecond: (second: Second) => void,
  ) {
    // Told soon after each second also when nothing comes back any more: that is when someone wants to see it.
    this.#timer = setInterval(() => this.#advance(performance.now()), 100);
  }

  /** A request ended at `now`. */
  count(now: number, outcome: string, ms: number): void {
    this.#advance(now);
    this.#requests++;
    if (isError(outcome)) this.#errors++;
    if (isTimed(outcome)) recordMs(this.#latency, ms);
  }

  /** Tells of the second that has begun, if there is anything to tell. */
  close(): void {
    clearInterval(this.#timer);
    if (this.#requests > 0) this.#tell();
  }

  #advance(now: number): void {
    while (this.#index < Math.floor((now - this.from) / 1_000)) this.#tell();
  }

  #tell(): void {
    this.onSecond({ index: this.#index, requests: this.#requests, errors: this.#errors, latency: packLatency(this.#latency) });
    this.#index++;
    this.#requests = 0;
    this.#errors = 0;
    this.#latency.reset();
  }
}
