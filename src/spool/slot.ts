/**
 * A folder of segments that one process owns: `NNNNNNNN.log`, the oldest first, with the position up to which
 * they were replayed, and the owner's lock.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { PopupError, reasonOf } from "../errors.js";
import { releaseLock, takeLock } from "../pid-lock.js";
import { type Position, readPosition, writePosition } from "./position.js";
import { type Damage, type ReadRecord, readSegment } from "./reader.js";
import type { SpooledReport } from "./record.js";

/** Told of what is lost or does not work. */
export type OnTrouble = (message: string, details: Record<string, unknown>) => void;
export type Take = (batch: readonly SpooledReport[]) => Promise<void>;

export interface Segment {
  readonly index: number;
  readonly path: string;
  /** Up to where it is known to be on the disk, bytes. */
  size: number;
  /** Up to where it was replayed, bytes. */
  offset: number;
  /** Not yet replayed. */
  records: number;
  /** Epoch ms, of the first that is not yet replayed. */
  oldestAt: number | undefined;
  /** Damage before this offset was told. */
  toldTo: number;
}

const NAME = /^(\d{8})\.log$/;

/** Whether a folder has something to replay. */
export function hasSegments(dir: string): boolean {
  return readdirSync(dir).some((name) => NAME.test(name));
}

export class Slot {
  /** The oldest first. */
  readonly segments: Segment[] = [];
  #nextIndex = 1;
  #positionFails = false;

  private constructor(
    readonly dir: string,
    private readonly onTrouble: OnTrouble,
  ) {}

  /** Takes a folder, which is made where it is missing, and looks through what is in it; undefined while another process has it. */
  static async take(dir: string, onTrouble: OnTrouble): Promise<Slot | undefined> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (!takeLock(join(dir, "lock"))) return undefined;
    const slot = new Slot(dir, onTrouble);
    try {
      await slot.#load();
    } catch (error) {
      slot.release();
      throw error;
    }
    return slot;
  }

  release(): void {
    releaseLock(join(this.dir, "lock"));
  }

  get bytes(): number {
    return this.segments.reduce((sum, { size, offset }) => sum + size - offset, 0);
  }

  get records(): number {
    return this.segments.reduce((sum, { records }) => sum + records, 0);
  }

  /** Epoch ms. */
  get oldestAt(): number | undefined {
    return this.segments.find(({ oldestAt }) => oldestAt !== undefined)?.oldestAt;
  }

  /** A new segment, whose file is for the caller to make. It belongs to {@link segments} from its first record on. */
  next(): Segment {
    return this.#segment(this.#nextIndex, 0, 0);
  }

  /** A file that stays was replayed, or never held anything, all the same. */
  async unlink(path: string): Promise<void> {
    try {
      await rm(path, { force: true });
    } catch (error) {
      this.onTrouble("a file of the spool cannot be removed", { file: path, cause: reasonOf(error) });
    }
  }

  /**
   * Hands out the rest of a segment that nothing is appended to any more, then removes it.
   * @param most in one batch
   * @returns how many were taken
   */
  async replay(segment: Segment, most: number, take: Take): Promise<number> {
    let count = 0;
    const hand = async (batch: readonly ReadRecord[], next: ReadRecord | undefined): Promise<void> => {
      await take(batch.map(({ report }) => report));
      count += batch.length;
      segment.offset = batch.at(-1)?.end ?? segment.offset;
      segment.records -= batch.length;
      segment.oldestAt = next?.report.at;
      await this.#savePosition({ segment: segment.index, offset: segment.offset });
    };
    let ready: ReadRecord[] = [];
    for await (const { records, damage } of this.#read(segment)) {
      this.#tell(segment, damage);
      ready = ready.concat(records);
      // One stays back: its time is that of the oldest then.
      while (ready.length > most) await hand(ready.splice(0, most), ready[0]);
    }
    if (ready.length > 0) await hand(ready, undefined);
    this.segments.splice(this.segments.indexOf(segment), 1);
    await this.unlink(segment.path);
    return count;
  }

  async #load(): Promise<void> {
    const position = await readPosition(this.dir);
    this.#nextIndex = position.segment + 1;
    const indexes = readdirSync(this.dir)
      .flatMap((name) => NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
    for (const index of indexes) {
      const path = this.#path(index);
      const { size } = await stat(path);
      if (index < position.segment || size === 0) {
        await this.unlink(path);
        continue;
      }
      const offset = index === position.segment && position.offset <= size ? position.offset : 0;
      const segment = this.#segment(index, size, offset);
      this.segments.push(segment);
      await this.#scan(segment);
    }
  }

  #segment(index: number, size: number, offset: number): Segment {
    this.#nextIndex = Math.max(this.#nextIndex, index + 1);
    return { index, path: this.#path(index), size, offset, records: 0, oldestAt: undefined, toldTo: 0 };
  }

  #path(index: number): string {
    return join(this.dir, `${String(index).padStart(8, "0")}.log`);
  }

  /** Counts what a predecessor left. */
  async #scan(segment: Segment): Promise<void> {
    for await (const { records, damage } of this.#read(segment)) {
      segment.records += records.length;
      segment.oldestAt ??= records[0]?.report.at;
      this.#tell(segment, damage);
    }
  }

  async *#read(segment: Segment): ReturnType<typeof readSegment> {
    try {
      yield* readSegment(segment.path, segment.offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") {
        this.onTrouble("a file of the spool is gone", { file: segment.path, records: segment.records });
        return;
      }
      throw new PopupError("unavailable", `the spool cannot be read: ${reasonOf(error)}`, {
        hint: `if it stays so, move ${segment.path} away: the reports in it are not counted then, and those behind it are`,
        cause: error,
      });
    }
  }

  #tell(segment: Segment, damage: readonly Damage[]): void {
    for (const { from, to, torn } of damage.filter(({ to }) => to > segment.toldTo)) {
      this.onTrouble(torn ? "the last record of the spool was not written to its end; it is dropped" : "a damaged part of the spool is dropped", {
        file: segment.path,
        from,
        to,
      });
      segment.toldTo = to;
    }
  }

  /** Without it a restart replays more than it has to, which is no reason to stop. */
  async #savePosition(position: Position): Promise<void> {
    try {
      await writePosition(this.dir, position);
      this.#positionFails = false;
    } catch (error) {
      if (!this.#positionFails) this.onTrouble("the spool's position cannot be written", { dir: this.dir, cause: reasonOf(error) });
      this.#positionFails = true;
    }
  }
}
