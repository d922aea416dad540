/**
 * Reports that Redis could not take, or may have lost: made, or made again, when it can take them. What became of a
 * report that was under way is not known, so one may be made twice; its impression id counts it once.
 */
import { atOnce } from "../each.js";
import { PopupError } from "../errors.js";
import { acceptedAt, type Spool, type SpooledReport } from "../spool/spool.js";
import type { Clock } from "../time.js";
import type { Degraded, Receipt, Report } from "./answers.js";
import type { Lane } from "./lane.js";
import type { Lanes } from "./lanes.js";

/** Reports in one call: late ones may cost the customers of this moment half a millisecond, and not more. */
const TOGETHER = 64;

export interface LateReportsOptions {
  readonly clock: Clock;
  readonly spool: Spool | null;
  readonly lanes: Lanes;
}

export class LateReports {
  #replaying: Promise<void> | undefined;

  constructor(private readonly options: LateReportsOptions) {}

  /** Whether reports wait. */
  get waiting(): boolean {
    return (this.options.spool?.records ?? 0) > 0 || this.options.lanes.all.some(({ lately }) => lately.suspects.length > 0);
  }

  /** Keeps a report on disk. @param otherwise what is answered when that is not possible */
  keep(report: Report & { readonly impressionId: string }, otherwise: Degraded, answer: (receipt: Receipt) => void): void {
    const { spool, clock } = this.options;
    if (!spool) answer(otherwise);
    else spool.append(acceptedAt(report, clock()), (outcome) => answer(outcome === true ? { kind: "spooled" } : otherwise));
  }

  /** Makes the reports that wait, if Redis takes them; returns when there are none left. Rejects when it stops taking them. */
  async replay(): Promise<void> {
    // Also while none wait here: those of a process that is gone wait for someone to find them.
    if (this.#replaying || !this.options.lanes.all.some((lane) => lane.takesReports)) return;
    this.#replaying = this.#makeAll();
    try {
      await this.#replaying;
    } finally {
      this.#replaying = undefined;
    }
  }

  async #makeAll(): Promise<void> {
    // What Redis had is older than what it could not take.
    await atOnce(
      this.options.lanes.all.filter(({ lately, takesReports }) => takesReports && lately.suspects.length > 0),
      (lane) => this.#makeSuspects(lane),
    );
    await this.options.spool?.replay(TOGETHER, (batch) => this.#make(batch));
  }

  async #makeSuspects(lane: Lane): Promise<void> {
    const { lately } = lane;
    while (lately.suspects.length > 0) {
      const batch = lately.suspects.splice(0, TOGETHER);
      try {
        await lane.makeLate(batch);
      } catch (error) {
        lately.suspects.unshift(...batch);
        throw error;
      }
    }
  }

  /** Rejects when one of the partitions takes none; what others took then is handed out again, and known by its ids. */
  async #make(batch: readonly SpooledReport[]): Promise<void> {
    const byLane = new Map<Lane, SpooledReport[]>();
    for (const report of batch) {
      const lane = this.options.lanes.of(report.userId);
      if (!lane)
        throw new PopupError("unavailable", "users are being moved to other partitions; reports wait in the spool", {
          hint: "they are made when that is done",
        });
      const reports = byLane.get(lane);
      if (reports) reports.push(report);
      else byLane.set(lane, [report]);
    }
    await atOnce([...byLane], ([lane, reports]) => lane.makeLate(reports));
  }

  /** Waits for a replay under way to stop, and closes the spool. */
  async close(): Promise<void> {
    // Its trouble was told already, or is that the connection was closed on purpose.
    await this.#replaying?.catch(() => undefined);
    await this.options.spool?.close();
  }
}
