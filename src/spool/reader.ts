/** Reads a segment in bounded pieces and steps over what is damaged. */
import { open } from "node:fs/promises";
import { MAX_LINE_BYTES, partsOf, reportOf, type SpooledReport } from "./record.js";

const PIECE_BYTES = 65_536;
const LINE_END = 0x0a;

export interface ReadRecord {
  readonly report: SpooledReport;
  /** The offset behind it, where the next one begins. */
  readonly end: number;
}

/** Bytes of a segment that are no records. */
export interface Damage {
  readonly from: number;
  readonly to: number;
  /** It is the segment's end: a record that was not written to its end. */
  readonly torn: boolean;
}

export interface Piece {
  readonly records: ReadRecord[];
  readonly damage: Damage[];
}

/**
 * The records of a file from an offset to its end, in order.
 * @throws the system's error when it cannot be read
 */
export async function* readSegment(path: string, from: number): AsyncGenerator<Piece> {
  const file = await open(path, "r");
  try {
    const lines = new Lines(from);
    const chunk = Buffer.allocUnsafe(PIECE_BYTES);
    for (let at = from; ; ) {
      const { bytesRead } = await file.read(chunk, 0, PIECE_BYTES, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      yield lines.take(chunk.subarray(0, bytesRead));
    }
    yield lines.end();
  } finally {
    await file.close();
  }
}

class Lines {
  /** The beginning of a line whose end was not read yet. */
  #carry: Buffer = Buffer.alloc(0);
  /** Damage that may go on. */
  #damage: { from: number; to: number } | undefined;
  #piece: Piece = { records: [], damage: [] };

  /** @param at the offset of the first byte */
  constructor(private at: number) {}

  take(chunk: Buffer): Piece {
    const bytes = Buffer.concat([this.#carry, chunk]);
    let begin = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, begin)) {
      this.#line(bytes.subarray(begin, end), 1);
      begin = end + 1;
    }
    // A line without end is damaged; only its last bytes may still hold a record.
    const over = bytes.length - begin - MAX_LINE_BYTES;
    if (over > 0) {
      this.#lost(this.at, this.at + over);
      this.at += over;
      begin += over;
    }
    this.#carry = bytes.subarray(begin);
    return this.#give();
  }

  end(): Piece {
    const torn = this.#carry.length > 0;
    if (torn) this.#line(this.#carry, 0);
    this.#endDamage(torn);
    return this.#give();
  }

  /** @param lineEnd its length in bytes */
  #line(line: Buffer, lineEnd: number): void {
    const begin = this.at;
    this.at += line.length + lineEnd;
    const report = reportOf(line);
    if (report) this.#found(report, this.at);
    else {
      for (const { from, to } of partsOf(line)) {
        const saved = reportOf(line.subarray(from, to));
        const end = to === line.length ? this.at : begin + to + 1;
        if (saved) this.#found(saved, end);
        else this.#lost(begin + from, end);
      }
    }
  }

  #found(report: SpooledReport, end: number): void {
    this.#endDamage(false);
    this.#piece.records.push({ report, end });
  }

  #lost(from: number, to: number): void {
    if (this.#damage) this.#damage.to = to;
    else this.#damage = { from, to };
  }

  #endDamage(torn: boolean): void {
    if (this.#damage) this.#piece.damage.push({ ...this.#damage, torn });
    this.#damage = undefined;
  }

  #give(): Piece {
    const piece = this.#piece;
    this.#piece = { records: [], damage: [] };
    return piece;
  }
}
