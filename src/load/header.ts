/** The header of a CSV: which byte separates its columns, and where the wanted ones are. */
import { PopupError } from "../errors.js";
import { Fields, INCOMPLETE, linesIn, MALFORMED } from "./record.js";
import { MAX_RECORD_BYTES, type ScanShape } from "./scanner.js";

/** What may separate columns; the first that finds the wanted ones does. */
const DELIMITERS = [",", ";", "\t", "|"] as const;

const [BOM, LF, CR] = [Buffer.from([0xef, 0xbb, 0xbf]), 10, 13];
/** A header with more columns than that is none. */
const MOST_COLUMNS = 10_000;
const SHOWN_COLUMNS = 30,
  SHOWN_LETTERS = 40;

export interface Header extends ScanShape {
  /** Where the first record begins, and in which line. */
  readonly next: number;
  readonly line: number;
}

/**
 * Reads the header at the beginning of a file.
 * @param bytes the file's first ones @param last there are no more
 * @param delimiter one character, or undefined to find out
 * @returns undefined when the header is not whole yet
 * @throws PopupError `bad_file` when it is none, or lacks a column
 */
export function readHeader(name: string, bytes: Buffer, last: boolean, columns: readonly string[], delimiter: string | undefined): Header | undefined {
  let start = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  let line = 1;
  for (; bytes[start] === LF || bytes[start] === CR; start++) if (bytes[start] === LF || bytes[start + 1] !== LF) line++;
  if (start >= bytes.length) {
    if (!last && bytes.length <= MAX_RECORD_BYTES) return undefined;
    throw new PopupError("bad_file", last ? `${name} is empty` : `${name} has no header in its first ${MAX_RECORD_BYTES.toLocaleString("en-US")} bytes`, {
      hint: `it needs a header line with the column ${columns[0] ?? ""}, and a user id in each line`,
    });
  }
  let widest: { titles: string[]; delimiter: string } | undefined;
  for (const candidate of delimiter === undefined ? DELIMITERS : [delimiter]) {
    const fields = new Fields(Array.from({ length: MOST_COLUMNS }, (_, place) => place));
    const next = fields.scan(bytes, start, bytes.length, last, candidate.charCodeAt(0));
    if (next === INCOMPLETE && bytes.length <= MAX_RECORD_BYTES) return undefined;
    if (next === INCOMPLETE || next === MALFORMED || fields.count > MOST_COLUMNS) continue;
    if (bytes.subarray(start, fields.end).includes(0))
      throw new PopupError("bad_file", `${name} is no text: it has zero bytes in its first line`, {
        hint: "it looks like a binary file, or text in UTF-16; save it as CSV in UTF-8",
      });
    const titles = Array.from({ length: fields.count }, (_, slot) => fields.text(slot).trim());
    const places = columns.map((column) => titles.indexOf(column));
    if (places.every((place) => place >= 0))
      return { delimiter: candidate.charCodeAt(0), places, width: titles.length, next, line: line + 1 + linesIn(bytes, start, fields.end) };
    if (!widest || titles.length > widest.titles.length) widest = { titles, delimiter: candidate };
  }
  if (!widest)
    throw new PopupError("bad_file", `${name} has no header that can be read`, {
      hint: "its first line must name the columns, separated by commas; is a quote in it not closed?",
    });
  const missing = columns.find((column) => !widest.titles.includes(column)) ?? "";
  throw new PopupError("bad_file", `${name} has no column "${missing}"`, {
    hint: `its columns: ${widest.titles
      .slice(0, SHOWN_COLUMNS)
      .map((title) => title.slice(0, SHOWN_LETTERS))
      .join(", ")}; name one with --column`,
  });
}
