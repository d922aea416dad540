/** What Redis took in the last minute: made again when its counters had to be looked at, because it may have lost it before it was carried to the store. */
import type { SpooledReport } from "../spool/spool.js";
import type { Clock } from "../time.js";

const REMEMBER_MS = 60_000;
/** Reports of all partitions of a process together. */
const MOST_REMEMBERED = 50_000;

interface Taken {
  readonly report: SpooledReport;
  readonly takenAt: number;
}

/** The reports of one partition. */
export class Lately {
  /** What Redis took, oldest first, in two generations: dropping one of them costs nothing. */
  #taken: Taken[] = [];
  #takenBefore: Taken[] = [];
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
    const oldest = this.#taken[0];
    if (oldest && (this.#taken.length >= this.#most || takenAt - oldest.takenAt > REMEMBER_MS)) {
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
      this.suspects = [...this.suspects, ...lately.map(({ report }) => report)].slice(-this.#most);
      this.#takenBefore = [];
      this.#taken = [];
    }
    this.#word = word;
    this.#wordAt = this.clock();
  }
}
