/**
 * One CSV record in the bytes of a file: where its wanted fields begin and end. RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180),
 * and what is met besides: any mixture of line endings, records that are short or long, quotes in the middle of a field,
 * which stand for themselves.
 */
import { MAX_INTEGER_ID } from "../user-id.js";

const [LF, CR, QUOTE, ZERO] = [10, 13, 34, 48];
/** Instead of where the next record begins: more bytes are needed. */
export const INCOMPLETE = -1;
/** Instead of where the next record begins: text follows a closing quote, or a quote is open at the end. */
export const MALFORMED = -2;
/** More of a record is not kept for the file of rejected rows. */
const SHOWN_BYTES = 10_000;

export class Fields {
  bytes: Buffer = Buffer.alloc(0);
  /** The record's first line, from 1. */
  line = 0;
  /** Its first byte, and the one behind its last; without the line's end. */
  start = 0;
  end = 0;
  /** How many fields it has. */
  count = 0;
  /** Whether a line ends within a quoted field; and within a wanted one. */
  broken = false;
  wantedBroken = false;
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #doubled: Uint8Array;
  /** The slot of each place, -1 for those that nobody wants. */
  readonly #slots: Int32Array;

  /** @param places of the wanted fields, from 0; the n-th has the slot n */
  constructor(places: readonly number[]) {
    this.#slots = new Int32Array(Math.max(...places) + 1).fill(-1);
    places.forEach((place, slot) => (this.#slots[place] = slot));
    this.#from = new Int32Array(places.length);
    this.#to = new Int32Array(places.length);
    this.#doubled = new Uint8Array(places.length);
  }

  /** The wanted field as text; empty when the record is too short to have it. */
  text(slot: number): string {
    const text = this.bytes.toString("utf8", this.#from[slot], this.#to[slot]);
    return this.#doubled[slot] === 1 ? text.replaceAll('""', '"') : text;
  }

  /** The wanted field as an integer id, or -1; the rule is that of `integerId` in src/user-id.ts, read from bytes. */
  integer(slot: number): number {
    const [from = 0, to = 0] = [this.#from[slot], this.#to[slot]];
    const length = to - from;
    if (length === 0 || length > 10 || (length > 1 && this.bytes[from] === ZERO)) return -1;
    let value = 0;
    for (let at = from; at < to; at++) {
      const digit = (this.bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value <= MAX_INTEGER_ID ? value : -1;
  }

  /** Whether it has more fields than the header: an export may end each line with a delimiter too many, but no more. */
  isWiderThan(width: number, delimiter: number): boolean {
    for (let extra = this.count - width, at = this.end - 1; extra > 0; extra--, at--) if (this.bytes[at] !== delimiter) return true;
    return false;
  }

  /** The record as it stands in the file, shortened. */
  get raw(): string {
    return shortened(this.bytes, this.start, this.end);
  }

  /**
   * Finds the record that begins at `start`.
   * @param end of the bytes there are; with `last` there will be no more
   * @returns where the next record begins, {@link INCOMPLETE} or {@link MALFORMED}
   */
  scan(bytes: Buffer, start: number, end: number, last: boolean, delimiter: number): number {
    this.bytes = bytes;
    this.start = start;
    this.broken = false;
    this.wantedBroken = false;
    this.#from.fill(0);
    this.#to.fill(0);
    let at = start;
    for (let place = 0; ; place++) {
      let first = at;
      let stop: number;
      let doubled = 0;
      let broken = false;
      if (bytes[at] === QUOTE && at < end) {
        first = ++at;
        for (;;) {
          for (; at < end; at++) {
            const byte = bytes[at];
            if (byte === QUOTE) break;
            if (byte === LF || byte === CR) broken = true;
          }
          if (at >= end) return last ? MALFORMED : INCOMPLETE;
          if (at + 1 >= end && !last) return INCOMPLETE;
          if (at + 1 >= end || bytes[at + 1] !== QUOTE) break;
          doubled = 1;
          at += 2;
        }
        if (broken) this.broken = true;
        stop = at++;
        if (at < end && bytes[at] !== delimiter && bytes[at] !== LF && bytes[at] !== CR) return MALFORMED;
      } else {
        for (; at < end; at++) {
          const byte = bytes[at];
          if (byte === delimiter || byte === LF || byte === CR) break;
        }
        stop = at;
      }
      if (at >= end && !last) return INCOMPLETE;
      const slot = place < this.#slots.length ? (this.#slots[place] ?? -1) : -1;
      if (slot >= 0) {
        this.#from[slot] = first;
        this.#to[slot] = stop;
        this.#doubled[slot] = doubled;
        if (broken) this.wantedBroken = true;
      }
      if (at < end && bytes[at] === delimiter) {
        at++;
        continue;
      }
      this.end = at;
      this.count = place + 1;
      return at >= end ? end : (behindLineEnd(bytes, at, end, last) ?? INCOMPLETE);
    }
  }
}

/** Where the next line begins, from the first byte of a line's end; undefined when that cannot be told yet. */
function behindLineEnd(bytes: Buffer, at: number, end: number, last: boolean): number | undefined {
  if (bytes[at] === LF) return at + 1;
  if (at + 1 >= end) return last ? end : undefined;
  return bytes[at + 1] === LF ? at + 2 : at + 1;
}

/** The line that begins at `start`: the byte behind its last, and where the next begins; undefined when its end is not there yet. */
export function lineAt(bytes: Buffer, start: number, end: number, last: boolean): { readonly end: number; readonly next: number } | undefined {
  let at = start;
  while (at < end && bytes[at] !== LF && bytes[at] !== CR) at++;
  const next = at >= end ? (last ? end : undefined) : behindLineEnd(bytes, at, end, last);
  return next === undefined ? undefined : { end: at, next };
}

/** Lines that end in the range. */
export function linesIn(bytes: Buffer, start: number, end: number): number {
  let lines = 0;
  for (let line = lineAt(bytes, start, end, true); line && line.end < end; line = lineAt(bytes, line.next, end, true)) lines++;
  return lines;
}

export function shortened(bytes: Buffer, start: number, end: number): string {
  return end - start <= SHOWN_BYTES ? bytes.toString("utf8", start, end) : `${bytes.toString("utf8", start, start + SHOWN_BYTES)} … (${end - start} bytes)`;
}
