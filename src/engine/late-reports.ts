/**
 * Reports that Redis could not take, or may have lost: made, or made again, when it can take them. What became of a
 * report that was under way is not known, so one may be made twice; its impression id counts it once.
 */
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import { reportLate } from "../redis/decisions.js";
import type { Keys } from "../redis/keys.js";
import type { Spool, SpooledReport } from "../spool/spool.js";
import type { Clock } from "../time.js";
import type { Degraded, Receipt, Report } from "./answers.js";
import { type Published, STALE_RETRIES } from "./published.js";

/** Reports in one call: late ones may cost the customers of this moment half a millisecond, and not more. */
const TOGETHER = 64;
/** What Redis took in this time before its counters had to be looked at is made again: it may not have been carried to the store yet. */
const REMEMBER_MS = 60_000;
const MOST_REMEMBERED = 50_000;

export interface LateReportsOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly spool: Spool | null;
  readonly published: Published;
  /** Whether Redis takes reports now. */
  readonly takes: () => boolean;
  /** Told of every impression that was counted. */
  readonly onImpression: ((campaignId: number) => void) | undefined;
}

interface Taken {
  readonly report: SpooledReport;
  readonly takenAt: number;
}

export class LateReports {
  /** What Redis took lately, oldest first, in two generations: dropping one of them costs nothing. */
  #taken: Taken[] = [];
  #takenBefore: Taken[] = [];
  /** What Redis took and may have lost. */
  #suspects: SpooledReport[] = [];
  #word: string | undefined;
  #wordAt = 0;
  #replaying: Promise<void> | undefined;

  constructor(private readonly options: LateReportsOptions) {}

  /** Whether reports wait. */
  get waiting(): boolean {
    return this.#suspects.length > 0 || (this.options.spool?.records ?? 0) > 0;
  }

  /** Keeps a report on disk. @param otherwise what is answered when that is not possible */
  keep(report: Report & { readonly impressionId: string }, otherwise: Degraded, answer: (receipt: Receipt) => void): void {
    const { spool, clock } = this.options;
    if (!spool) answer(otherwise);
    else spool.append({ ...report, at: clock() }, (outcome) => answer(outcome === true ? { kind: "spooled" } : otherwise));
  }

  /** Remembers a report that Redis took at a time, epoch ms, for a while. */
  remember(report: SpooledReport, takenAt: number): void {
    const oldest = this.#taken[0];
    if (oldest && (this.#taken.length >= MOST_REMEMBERED || takenAt - oldest.takenAt > REMEMBER_MS)) {
      this.#takenBefore = this.#taken;
      this.#taken = [];
    }
    this.#taken.push({ report, takenAt });
  }

  /**
   * Told again and again while Redis is trusted. Another word than before says that its counters were looked at, so
   * what it took shortly before may be lost.
   */
  trusted(word: string): void {
    if (this.#word !== undefined && word !== this.#word) {
      const lately = [...this.#takenBefore, ...this.#taken].filter(({ takenAt }) => takenAt >= this.#wordAt - REMEMBER_MS);
      this.#suspects = [...this.#suspects, ...lately.map(({ report }) => report)].slice(-MOST_REMEMBERED);
      this.#takenBefore = [];
      this.#taken = [];
    }
    this.#word = word;
    this.#wordAt = this.options.clock();
  }

  /** Makes the reports that wait, if Redis takes them; returns when there are none left. Rejects when it stops taking them. */
  async replay(): Promise<void> {
    // Also while none wait here: those of a process that is gone wait for someone to find them.
    if (this.#replaying || !this.options.takes()) return;
    this.#replaying = this.#makeAll();
    try {
      await this.#replaying;
    } finally {
      this.#replaying = undefined;
    }
  }

  async #makeAll(): Promise<void> {
    // What Redis had is older than what it could not take.
    while (this.#suspects.length > 0) {
      const batch = this.#suspects.splice(0, TOGETHER);
      try {
        await this.#make(batch);
      } catch (error) {
        this.#suspects.unshift(...batch);
        throw error;
      }
    }
    await this.options.spool?.replay(TOGETHER, (batch) => this.#make(batch));
  }

  async #make(batch: readonly SpooledReport[]): Promise<void> {
    const { redis, keys, clock, published } = this.options;
    for (let attempt = 0; attempt < STALE_RETRIES; attempt++) {
      if (!this.options.takes())
        throw new PopupError("unavailable", "Redis takes no reports now; those that it could not take wait", {
          hint: "they are made when it takes them again",
        });
      const snapshot = published.current;
      if (snapshot) {
        const reply = await reportLate(redis, keys, snapshot.version, snapshot.windowsAt(clock()), batch, snapshot.windowsAt);
        if (reply.tag === "taken") {
          for (const [i, report] of batch.entries()) {
            // Redis may lose these as well.
            this.remember(report, clock());
            if (typeof reply.answers[i] === "number") this.options.onImpression?.(report.campaignId);
          }
          return;
        }
        if (reply.tag === "full")
          throw new PopupError("unavailable", "the event stream is full; reports wait in the spool", { hint: "is the worker running?" });
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
