/** Rounds of work until it is told to end: trouble is told, waited out and tried again. */
import { setTimeout as delay } from "node:timers/promises";
import { reasonOf } from "../errors.js";

export interface RoundsOptions {
  /** Told once when trouble begins and once when it is over (undefined). */
  readonly onIncident?: (cause: string | undefined) => void;
  /** Told of every round that failed. */
  readonly onFailure?: () => void;
}

export interface Round {
  /** Why it failed; undefined when it did not. */
  readonly trouble: string | undefined;
  /** What was taken in it. */
  readonly taken: number;
}

const RETRY_MS = 1_000;
/** Between small batches: a commit waits for the disk whether it holds ten events or a thousand, and a read costs as much. */
const LINGER_MS = 100;

export class Rounds {
  readonly #ending = new AbortController();
  #incident: string | undefined;

  /** @param small a round that took fewer, and something, is followed by a short wait for more */
  constructor(
    private readonly small: number,
    private readonly options: RoundsOptions,
  ) {}

  get stopping(): boolean {
    return this.#ending.signal.aborted;
  }

  stop(): void {
    this.#ending.abort();
  }

  /** One round after another until {@link stop}; resolves when the one in hand is over. */
  async run(work: () => Promise<Round>): Promise<void> {
    while (!this.stopping) {
      const { trouble, taken } = await work();
      if (this.stopping) return;
      this.#note(trouble);
      if (trouble !== undefined) {
        this.options.onFailure?.();
        await this.pause(RETRY_MS);
      } else if (taken > 0 && taken < this.small) await this.pause(LINGER_MS);
    }
  }

  /** Waits, or until {@link stop}. */
  async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }

  #note(incident: string | undefined): void {
    if (incident === this.#incident) return;
    this.#incident = incident;
    this.options.onIncident?.(incident);
  }
}

/** Why the work failed, or undefined when it did not. */
export async function troubleOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
