/**
 * Reports that Redis cannot take now: kept in the spool, and made in their order when it can. What became of a
 * report that was under way is not known, so one may be made twice; its impression id counts it once.
 */
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import { reportLate } from "../redis/decisions.js";
import type { Keys } from "../redis/keys.js";
import type { Spool, SpooledReport } from "../spool/spool.js";
import type { Clock } from "../time.js";
import type { Degraded, Receipt, Report } from "./answers.js";
import type { Published } from "./published.js";

/** Reports in one call: late ones may cost the customers of this moment half a millisecond, and not more. */
const TOGETHER = 64;
const STALE_RETRIES = 3;

export interface LateReportsOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly spool: Spool | null;
  readonly published: Published;
  /** Whether Redis takes reports now. */
  readonly takes: () => boolean;
}

export class LateReports {
  #replaying: Promise<unknown> | undefined;

  constructor(private readonly options: LateReportsOptions) {}

  /** Keeps a report on disk. @param otherwise what is answered when that is not possible */
  keep(report: Report & { readonly impressionId: string }, otherwise: Degraded, answer: (receipt: Receipt) => void): void {
    const { spool, clock } = this.options;
    if (!spool) answer(otherwise);
    else spool.append({ ...report, at: clock() }, (outcome) => answer(outcome === true ? { kind: "spooled" } : otherwise));
  }

  /** Makes the reports that wait, if Redis takes them; returns when there are none left. Rejects when it stops taking them. */
  async replay(): Promise<void> {
    const { spool } = this.options;
    if (!spool || spool.records === 0 || this.#replaying || !this.options.takes()) return;
    this.#replaying = spool.replay(TOGETHER, (batch) => this.#make(batch));
    try {
      await this.#replaying;
    } finally {
      this.#replaying = undefined;
    }
  }

  async #make(batch: readonly SpooledReport[]): Promise<void> {
    const { redis, keys, clock, published } = this.options;
    for (let attempt = 0; attempt < STALE_RETRIES; attempt++) {
      if (!this.options.takes()) throw new PopupError("unavailable", "Redis takes no reports now; those in the spool wait");
      const snapshot = published.current;
      if (snapshot) {
        const { tag } = await reportLate(redis, keys, snapshot.version, snapshot.windowsAt(clock()), batch, snapshot.windowsAt);
        if (tag === "taken") return;
        if (tag === "full") throw new PopupError("unavailable", "the event stream is full; reports wait in the spool", { hint: "is the worker running?" });
      }
      await published.refresh();
    }
    throw new PopupError("unavailable", "nothing is published, or it changes too fast; reports wait in the spool", { hint: "run popup sync" });
  }

  /** Waits for a replay under way to stop, and closes the spool. */
  async close(): Promise<void> {
    // Its trouble was told already, or is that the connection was closed on purpose.
    await this.#replaying?.catch(() => undefined);
    await this.options.spool?.close();
  }
}
