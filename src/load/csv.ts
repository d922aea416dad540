/** Reading ids out of CSV files. A file that cannot be parsed is refused whole; a row with a bad id is rejected alone. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { parse } from "csv-parse";
import { PopupError, reasonOf } from "../errors.js";
import { isUserId, USER_ID_RULE } from "../user-id.js";

export interface Rejection { readonly line: number; readonly reason: string; readonly text: string }
export interface CsvRows { readonly rows: number; readonly rejected: number; /** The first few. */ readonly rejections: readonly Rejection[] }

const SHOWN_REJECTIONS = 5;
/** One record longer than this is no record but an unclosed quote. */
const MAX_RECORD_BYTES = 1_000_000;

/** A file, or standard input for `-`. @throws PopupError `bad_file` later, by the stream's error */
export function openInput(path: string): Readable {
  return path === "-" ? process.stdin : createReadStream(path);
}

/**
 * Reads the wanted columns of every row. `onRow` returns why it rejects the row, or undefined.
 * @param columns names in the header; the first is the user id
 * @throws PopupError `bad_file` when the file cannot be read or parsed, or lacks a column
 */
export async function readCsv(input: Readable, name: string, columns: readonly string[], onRow: (values: readonly string[]) => string | undefined): Promise<CsvRows> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true, record_delimiter: ["\r\n", "\n", "\r"], max_record_size: MAX_RECORD_BYTES });
  let places: number[] | undefined;
  let rows = 0;
  let rejected = 0;
  const rejections: Rejection[] = [];
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown): void => {
      input.destroy();
      parser.destroy();
      reject(badFile(name, error));
    };
    input.on("error", fail);
    parser.on("error", fail);
    parser.on("end", resolve);
    parser.on("data", ({ record, info }: { record: string[]; info: { lines: number } }) => {
      try {
        if (!places) {
          places = findColumns(name, record, columns);
          return;
        }
        rows++;
        const reason = onRow(places.map((place) => record[place] ?? ""));
        if (reason === undefined) return;
        rejected++;
        if (rejections.length < SHOWN_REJECTIONS) rejections.push({ line: info.lines, reason, text: record.join(",").slice(0, 100) });
      } catch (error) {
        fail(error);
      }
    });
    input.pipe(parser);
  });
  if (!places) throw new PopupError("bad_file", `${name} is empty`, { hint: `it needs a header line with the column ${columns[0] ?? ""}, and a user id in each line` });
  return { rows, rejected, rejections };
}

/** Why an id is not taken, or undefined. */
export function idProblem(id: string): string | undefined {
  if (isUserId(id)) return undefined;
  return id === "" ? "no user id" : `not a user id (${USER_ID_RULE})`;
}

function findColumns(name: string, header: readonly string[], wanted: readonly string[]): number[] {
  return wanted.map((column) => {
    const place = header.findIndex((title) => title.trim() === column);
    if (place < 0) {
      throw new PopupError("bad_file", `${name} has no column "${column}"`, {
        hint: `its columns: ${header.map((title) => title.trim().slice(0, 40)).slice(0, 30).join(", ")}; name one with --column`,
      });
    }
    return place;
  });
}

function badFile(name: string, error: unknown): PopupError {
  if (error instanceof PopupError) return error;
  const { code, records = 0 } = error as NodeJS.ErrnoException & { records?: number };
  if (code === "ENOENT") return new PopupError("bad_file", `${name} does not exist`, { hint: "check the path" });
  if (code === "EISDIR") return new PopupError("bad_file", `${name} is a folder`, { hint: "name a CSV file" });
  if (code === "CSV_QUOTE_NOT_CLOSED" || code === "CSV_MAX_RECORD_SIZE") {
    // The parser names the line where it gave up, which may be a million lines after the quote.
    const place = records === 0 ? "the header" : `row ${records} after the header`;
    return new PopupError("bad_file", `${name}: a quote opened in ${place} is not closed`, { hint: "nothing was loaded; close the quote and load the file again", cause: error });
  }
  return new PopupError("bad_file", `${name} cannot be read as CSV: ${reasonOf(error)}`, { hint: "nothing was loaded; mend the line and load the file again", cause: error });
}
