/**
 * Appends to a slot's newest segment. One write is under way at a time, and its fdatasync; what arrives meanwhile
 * goes with the next. So a report waits for two syncs at most, and a sync is shared by all who wait.
 */
import { type FileHandle, open } from "node:fs/promises";
import { setImmediate as endOfTurn } from "node:timers/promises";
import { reasonOf } from "../errors.js";
import { lineOf, MAX_LINE_BYTES, type SpooledReport } from "./record.js";
import type { OnTrouble, Segment, Slot } from "./slot.js";

/** What became of an append: it is on the disk, there is no room for it, or the disk refuses. */
export type Outcome = true | "full" | "failed";

const SEGMENT_BYTES = 8 * 1024 * 1024;
/** Of one write. */
const GROUP_BYTES = 1024 * 1024;
/** Of what waits for a disk that is slow or hangs: in memory, and seconds of the greatest load. */
const WAITING_BYTES = 8 * 1024 * 1024;
/** After a failure the disk is left alone for this long. */
const PAUSE_MS = 1_000;

interface Waiting {
  readonly line: string;
  readonly bytes: number;
  readonly at: number;
  readonly done: (outcome: Outcome) => void;
}

export class Writer {
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;
  #file: { readonly handle: FileHandle; readonly segment: Segment } | undefined;
  #sealed: (() => void)[] = [];
  /** Told of, and not over. */
  #failing = false;
  /** Of performance.now(). */
  #pauseUntil = 0;

  constructor(
    private readonly slot: Slot,
    private readonly onTrouble: OnTrouble,
  ) {}

  /** The segment that is appended to; there is none before the first append and after a seal. */
  get segment(): Segment | undefined {
    return this.#file?.segment;
  }

  /** @param room bytes that may be on the disk or on the way to it, beside those that are */
  append(report: SpooledReport, room: number, done: (outcome: Outcome) => void): void {
    const line = lineOf(report);
    const bytes = Buffer.byteLength(line);
    if (bytes > MAX_LINE_BYTES) {
      this.onTrouble("a report is too long for the spool", { bytes });
      done("failed");
    } else if (this.#failing && performance.now() < this.#pauseUntil) done("failed");
    else if (this.#waitingBytes + bytes > Math.min(room, WAITING_BYTES)) done("full");
    else {
      this.#waiting.push({ line, bytes, at: report.at, done });
      this.#waitingBytes += bytes;
      this.#start();
    }
  }

  /** Nothing more is appended to the present segment; it is on the disk then. Later appends begin a new one. */
  seal(): Promise<void> {
    return new Promise((resolve) => {
      this.#sealed.push(resolve);
      this.#start();
    });
  }

  /** Waits for all that was appended. */
  async close(): Promise<void> {
    await this.#running;
    await this.#close();
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  /** It does not reject. */
  async #run(): Promise<void> {
    // What arrives in this turn of the event loop goes together.
    await endOfTurn();
    while (this.#waiting.length > 0 || this.#sealed.length > 0) {
      if (this.#sealed.length > 0) await this.#seal();
      else await this.#commit(this.#group());
    }
    this.#running = undefined;
  }

  async #seal(): Promise<void> {
    const sealed = this.#sealed;
    this.#sealed = [];
    await this.#close();
    for (const resolve of sealed) resolve();
  }

  #group(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((waiting) => (bytes += waiting.bytes) > GROUP_BYTES);
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      this.#file ??= await this.#create();
      const { handle, segment } = this.#file;
      await handle.appendFile(group.map(({ line }) => line).join(""));
      await handle.datasync();
      if (segment.size === 0) this.slot.segments.push(segment);
      segment.oldestAt ??= group[0]?.at;
      segment.size += sum(group);
      segment.records += group.length;
      this.#failing = false;
      this.#answer(group, true);
      if (segment.size >= SEGMENT_BYTES) await this.#close();
    } catch (error) {
      await this.#fail(error, group);
    }
  }

  /** Its name is on the disk too when it is returned: without that, what is synced into it could not be found. */
  async #create(): Promise<{ handle: FileHandle; segment: Segment }> {
    const segment = this.slot.next();
    const handle = await open(segment.path, "ax", 0o600);
    try {
      await syncFolder(this.slot.dir);
    } catch (error) {
      await handle.close();
      await this.slot.unlink(segment.path);
      throw error;
    }
    return { handle, segment };
  }

  /** Leaves of the segment what was good before, and tells all who wait. */
  async #fail(error: unknown, group: readonly Waiting[]): Promise<void> {
    if (!this.#failing) this.onTrouble("the spool cannot be written", { dir: this.slot.dir, cause: reasonOf(error) });
    this.#failing = true;
    if (this.#file) {
      const { handle, segment } = this.#file;
      try {
        await handle.truncate(segment.size);
        await handle.datasync();
      } catch (failure) {
        // Then the replay finds reports that were refused; one that is sent again is counted once nevertheless.
        this.onTrouble("a part of the spool that was not written to its end cannot be cut off", { file: segment.path, cause: reasonOf(failure) });
      }
      await this.#close();
      if (segment.size === 0) await this.slot.unlink(segment.path);
    }
    this.#pauseUntil = performance.now() + PAUSE_MS;
    this.#answer(group.concat(this.#waiting.splice(0)), "failed");
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.handle.close();
    } catch (error) {
      this.onTrouble("a file of the spool cannot be closed", { file: file?.segment.path, cause: reasonOf(error) });
    }
  }

  #answer(group: readonly Waiting[], outcome: Outcome): void {
    this.#waitingBytes -= sum(group);
    for (const { done } of group) done(outcome);
  }
}

function sum(group: readonly Waiting[]): number {
  return group.reduce((total, { bytes }) => total + bytes, 0);
}

/** Makes the names in a folder durable. */
export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
