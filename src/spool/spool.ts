/**
 * Reports on the disk while they cannot be counted: appended to files of this process' own, handed out again in
 * order. What is handed out may have been before (a batch that was taken in part, a crash before the position was
 * written): the receiver tells by the impression id.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { PopupError, reasonOf } from "../errors.js";
import type { SpooledReport } from "./record.js";
import { hasSegments, type OnTrouble, type Segment, Slot, type Take } from "./slot.js";
import { type Outcome, syncFolder, Writer } from "./writer.js";

export { acceptedAt, type SpooledReport } from "./record.js";

export interface SpoolOptions {
  /** On the disk and not yet replayed, with what is on the way there. */
  readonly maxBytes: number;
  /** Told once of what is lost or does not work; the messages are in docs/operations.md. */
  readonly onTrouble: OnTrouble;
}

/** Processes that share a folder; far beyond what a machine runs. */
const MOST_SLOTS = 1_024;
const SLOT_NAME = /^\d{1,4}$/;

export class Spool {
  readonly #writer: Writer;
  /** Slots of processes that are gone, until they are empty. */
  readonly #adopted = new Map<string, Slot>();
  #replay: Promise<number> | undefined;
  #closed = false;
  #interrupt: () => void = () => undefined;

  private constructor(
    private readonly root: string,
    private readonly own: Slot,
    private readonly options: SpoolOptions,
  ) {
    this.#writer = new Writer(own, options.onTrouble);
  }

  /**
   * Takes the first free slot folder under `root` (`0`, `1`, …) with what is in it, and what processes that are gone left in others.
   * @throws PopupError `unavailable` when the folder cannot be used
   */
  static async open(root: string, options: SpoolOptions): Promise<Spool> {
    try {
      mkdirSync(root, { recursive: true, mode: 0o700 });
      for (let n = 0; n < MOST_SLOTS; n++) {
        const slot = await Slot.take(join(root, String(n)), options.onTrouble);
        if (!slot) continue;
        const spool = new Spool(root, slot, options);
        try {
          // The folders' own names have to outlive a power failure as well.
          await syncFolder(root);
          await syncFolder(dirname(resolve(root)));
          await spool.#adopt();
        } catch (error) {
          await spool.close();
          throw error;
        }
        return spool;
      }
    } catch (error) {
      if (error instanceof PopupError) throw error;
      throw new PopupError("unavailable", `the spool folder ${root} cannot be used: ${reasonOf(error)}`, {
        hint: "make it a folder that this user may write to, on a disk with room",
        cause: error,
      });
    }
    throw new PopupError("unavailable", `all ${MOST_SLOTS} places in the spool folder ${root} are taken`, { hint: "stop some of the processes that use it" });
  }

  /** On the disk, not yet replayed. */
  get bytes(): number {
    return this.#slots().reduce((sum, slot) => sum + slot.bytes, 0);
  }

  /** Not yet replayed. */
  get records(): number {
    return this.#slots().reduce((sum, slot) => sum + slot.records, 0);
  }

  /** Epoch ms of the oldest that is not yet replayed. */
  get oldestAt(): number | undefined {
    return this.#slots()
      .map((slot) => slot.oldestAt)
      .filter((at) => at !== undefined)
      .sort((a, b) => a - b)[0];
  }

  /**
   * Appends a report.
   * @param done called once, possibly before this returns: true when it is on the disk, `full` when there is no room for it,
   *   `failed` when the disk refuses. It must not throw
   */
  append(report: SpooledReport, done: (outcome: Outcome) => void): void {
    if (this.#closed) done("failed");
    else this.#writer.append(report, this.options.maxBytes - this.bytes, done);
  }

  /**
   * Hands out everything there is, a process' reports in the order they came in; of several processes', the segment that
   * begins earliest first. Appends go on meanwhile and are handed out too.
   * @param most in one batch
   * @param take a batch is done when it resolves; it is handed out again, to the next call, when it rejects
   * @returns how many were taken, when nothing is left
   * @throws what `take` rejected with; PopupError `unavailable` when a file cannot be read, or the spool was closed
   */
  async replay(most: number, take: Take): Promise<number> {
    if (this.#replay) throw new Error("one replay at a time");
    this.#replay = this.#replayAll(most, take);
    try {
      return await this.#replay;
    } finally {
      this.#replay = undefined;
    }
  }

  /** Waits for what is being written, and leaves the rest to the next process. A replay under way rejects; its batch may be taken or not. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#interrupt();
    await this.#writer.close();
    // Why it ended is for its caller.
    await this.#replay?.catch(() => undefined);
    for (const slot of this.#slots()) slot.release();
  }

  async #replayAll(most: number, take: Take): Promise<number> {
    const takeOrEnd: Take = (batch) =>
      new Promise((resolve, reject) => {
        this.#interrupt = () => reject(new PopupError("unavailable", "the spool was closed during a replay", { hint: "the next process replays the rest" }));
        if (this.#closed) this.#interrupt();
        else take(batch).then(resolve, reject);
      });
    await this.#adopt();
    let count = 0;
    for (let next = await this.#next(); next; next = await this.#next()) {
      count += await next.slot.replay(next.segment, most, takeOrEnd);
      if (next.slot !== this.own && next.slot.segments.length === 0) this.#leave(next.slot);
    }
    return count;
  }

  #slots(): Slot[] {
    return [this.own, ...this.#adopted.values()];
  }

  /** The segment to replay, which nothing is appended to any more. */
  async #next(): Promise<{ slot: Slot; segment: Segment } | undefined> {
    const first = this.#slots()
      .flatMap((slot) => slot.segments.slice(0, 1).map((segment) => ({ slot, segment })))
      .sort((a, b) => (a.slot.oldestAt ?? 0) - (b.slot.oldestAt ?? 0))[0];
    if (first && first.segment === this.#writer.segment) await this.#writer.seal();
    return first;
  }

  /** Takes over what processes that are gone have left. */
  async #adopt(): Promise<void> {
    for (const name of readdirSync(this.root).filter((entry) => SLOT_NAME.test(entry))) {
      const dir = join(this.root, name);
      if (dir === this.own.dir || this.#adopted.has(dir)) continue;
      try {
        if (!hasSegments(dir)) continue;
        const slot = await Slot.take(dir, this.options.onTrouble);
        if (slot) this.#adopted.set(dir, slot);
      } catch (error) {
        this.options.onTrouble("a part of the spool that another process left cannot be taken over", { dir, cause: reasonOf(error) });
      }
    }
  }

  #leave(slot: Slot): void {
    this.#adopted.delete(slot.dir);
    slot.release();
  }
}
