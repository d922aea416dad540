/** What Redis took in the last minute: made again when its counters had to be looked at, because it may have lost it before it was carried to the store. */
import type { SpooledReport } from "../spool/spool.js";
import type { Clock } from "../time.js";

const REMEMBER_MS = 60_000;
/** Reports of all partitions of a process together. */
const MOST_REMEMBERED = 50_000;

/** Reports, oldest first, and when each was taken, epoch ms: no object for the two, because tens of thousands of them are kept. */
interface Generation {
  readonly reports: SpooledReport[];
  readonly takenAt: number[];
}

const none = (): Generation => ({ reports: [], takenAt: [] });

/** The reports of one partition. */
export class Lately {
  /** What Redis took, in two generations: dropping one of them costs nothing. */
  #taken = none();
  #takenBefore = none();
  #word: string | undefined;
  #wordAt = 0;
  readonly #most: number;
  /** What Redis took and may have lost, oldest first. */
  suspects: SpooledReport[] = [];

  /** @param partitions how many share the memory */
  constructor(
    private readonly clock: Clock,
    partitions: number,
  ) {
    this.#most = Math.ceil(MOST_REMEMBERED / partitions);
  }

  /** Remembers a report that Redis took at a time, epoch ms, for a while. */
  remember(report: SpooledReport, takenAt: number): void {
    const oldest = this.#taken.takenAt[0] ?? takenAt;
    if (this.#taken.reports.length >= this.#most || takenAt - oldest > REMEMBER_MS) {
      this.#takenBefore = this.#taken;
      this.#taken = none();
    }
    this.#taken.reports.push(report);
    this.#taken.takenAt.push(takenAt);
  }

  /**
   * Told again and again while Redis is trusted. Another word than before says that its counters were looked at, so
   * what it took shortly before may be lost.
   */
  trusted(word: string): void {
    if (this.#word !== undefined && word !== this.#word) {
      const since = this.#wordAt - REMEMBER_MS;
      const lately = [this.#takenBefore, this.#taken].flatMap(({ reports, takenAt }) => reports.filter((_, i) => (takenAt[i] ?? 0) >= since));
      this.suspects = [...this.suspects, ...lately].slice(-this.#most);
      this.#takenBefore = none();
      this.#taken = none();
    }
    this.#word = word;
    this.#wordAt = this.clock();
  }
}
