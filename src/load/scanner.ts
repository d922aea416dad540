/**
 * Reads the records of a CSV file that arrives piece by piece. A record that cannot be read takes no other with it: the line it
 * begins in is given up, and the next line is read anew.
 */
import { Fields, INCOMPLETE, lineAt, linesIn, shortened } from "./record.js";

/** A longer record is none, but a quote that is never closed, or no CSV at all. */
export const MAX_RECORD_BYTES = 1_048_576;

/** So many lines in a row that are records by themselves are no text. */
const SWALLOWED_LINES = 3;
const CR = 13;
const UNCLOSED = "a quote that opens in this line is not closed, or text follows it";
const DOUBTFUL = "a field of several lines, one of which would be a row by itself: is a quote not closed?";
const TOO_LONG = `the line is longer than ${MAX_RECORD_BYTES.toLocaleString("en-US")} bytes`;

export interface ScanShape {
  /** A byte. */
  readonly delimiter: number;
  /** The places of the wanted fields, from 0. */
  readonly places: readonly number[];
  /** How many fields the header has. */
  readonly width: number;
}

export interface ScanVisitor {
  /** A record. What the fields say holds until this returns. */
  record(fields: Fields): void;
  /** A line that cannot be read: its number, from 1, and what it begins with. */
  unreadable(line: number, reason: string, text: string): void;
  /** Whether a line of the right width can be a record by itself. */
  plausible(fields: Fields): boolean;
}

export class Scanner {
  /** What is not read yet lies in #bytes from #at to #end. */
  #bytes: Buffer = Buffer.allocUnsafe(2 * MAX_RECORD_BYTES);
  #at = 0;
  #end = 0;
  /** Of the byte at #at. */
  #line: number;
  /** In a line that is too long to be held. */
  #skipping = false;
  readonly #fields: Fields;
  /** For looking at a line within a record. */
  readonly #probe: Fields;

  /** @param line the number of the first one that is fed */
  constructor(
    private readonly shape: ScanShape,
    private readonly visitor: ScanVisitor,
    line: number,
  ) {
    this.#fields = new Fields(shape.places);
    this.#probe = new Fields(shape.places);
    this.#line = line;
  }

  /** Takes more of the file and reads what is whole. The piece may be used anew afterwards. */
  feed(piece: Uint8Array): void {
    const rest = this.#end - this.#at;
    const bytes = rest + piece.length > this.#bytes.length ? Buffer.allocUnsafe(rest + piece.length) : this.#bytes;
    this.#bytes.copy(bytes, 0, this.#at, this.#end);
    bytes.set(piece, rest);
    [this.#bytes, this.#at, this.#end] = [bytes, 0, rest + piece.length];
    this.#read(false);
  }

  /** Reads the rest: the last line needs no end. */
  end(): void {
    this.#read(true);
  }

  #read(last: boolean): void {
    const fields = this.#fields;
    while (this.#at < this.#end) {
      if (this.#skipping) {
        if (!this.#skip(last)) return;
        continue;
      }
      const next = fields.scan(this.#bytes, this.#at, this.#end, last, this.shape.delimiter);
      const within = next >= 0 && fields.broken ? this.#rowsWithin(fields.end) : 0;
      if (next < 0 || fields.end - this.#at > MAX_RECORD_BYTES || fields.wantedBroken || within >= SWALLOWED_LINES) {
        if (!this.#giveUp(next === INCOMPLETE, last)) return;
        continue;
      }
      fields.line = this.#line;
      this.#line += 1 + (fields.broken ? linesIn(this.#bytes, this.#at, fields.end) : 0);
      if (within > 0) this.visitor.unreadable(fields.line, DOUBTFUL, fields.raw);
      // A blank line is no record.
      else if (fields.end > this.#at) this.visitor.record(fields);
      this.#at = next;
    }
  }

  /**
   * Of the record that begins here and has several lines: how many between its first and its last would be records by themselves, the
   * most in a row. Many are rows that were swallowed, by a quote that was not closed until another such one; a text may have one.
   */
  #rowsWithin(end: number): number {
    let most = 0;
    let run = 0;
    let start = lineAt(this.#bytes, this.#at, end, true)?.next ?? end;
    for (let line = lineAt(this.#bytes, start, end, true); line && line.end < end && most < SWALLOWED_LINES; line = lineAt(this.#bytes, start, end, true)) {
      if (line.end > start) {
        const alone = this.#probe.scan(this.#bytes, start, line.end, true, this.shape.delimiter);
        run = alone >= 0 && this.#probe.count === this.shape.width && this.visitor.plausible(this.#probe) ? run + 1 : 0;
        most = Math.max(most, run);
      }
      start = line.next;
    }
    return most;
  }

  /** Rejects the line at hand. False when more of the file has to be seen first. */
  #giveUp(incomplete: boolean, last: boolean): boolean {
    const line = lineAt(this.#bytes, this.#at, this.#end, last);
    if ((incomplete || !line) && this.#endOfLine() - this.#at <= MAX_RECORD_BYTES) return false;
    const long = !line || line.end - this.#at > MAX_RECORD_BYTES;
    this.visitor.unreadable(this.#line, long ? TOO_LONG : UNCLOSED, shortened(this.#bytes, this.#at, line?.end ?? this.#end));
    if (line) {
      this.#at = line.next;
      this.#line++;
    } else {
      this.#at = this.#endOfLine();
      this.#skipping = true;
    }
    return true;
  }

  /** Behind what is there of a line that has not ended: a last CR may be half of its end. */
  #endOfLine(): number {
    return this.#end > this.#at && this.#bytes[this.#end - 1] === CR ? this.#end - 1 : this.#end;
  }

  /** Passes over the rest of a line. False when its end has not arrived. */
  #skip(last: boolean): boolean {
    const line = lineAt(this.#bytes, this.#at, this.#end, last);
    this.#at = line?.next ?? this.#endOfLine();
    if (!line) return false;
    this.#skipping = false;
    this.#line++;
    return true;
  }
}
