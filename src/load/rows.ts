/** Reading the rows of a CSV: the wanted columns of each, whatever the file looks like; a bad row is rejected alone. */
import { PopupError } from "../errors.js";
import { isUserId, USER_ID_RULE } from "../user-id.js";
import { readHeader } from "./header.js";
import type { Input } from "./input.js";
import type { Fields } from "./record.js";
import type { RejectFile } from "./rejects.js";
import { Scanner, type ScanShape } from "./scanner.js";

export interface RowsPlan {
  /** Names in the header; the first is the user id. */
  readonly columns: readonly string[];
  /** One character, or undefined to find out. */
  readonly delimiter: string | undefined;
  /** Takes a row, or says why not. What the fields say holds until it returns. */
  readonly onRow: (fields: Fields) => string | undefined;
  readonly rejects: RejectFile;
  /** Told after every piece of the file: rows so far. */
  readonly onProgress: (rows: number) => void;
}

/**
 * @returns how many rows there are, rejected ones among them
 * @throws PopupError `bad_file` when the file cannot be read, lacks a column or has no row
 */
export async function readRows(input: Input, plan: RowsPlan): Promise<number> {
  let rows = 0;
  let shape: ScanShape | undefined;
  const visitor = {
    record: (fields: Fields): void => {
      rows++;
      // A comma that was not quoted would shift what follows it, and make somebody else of the user.
      const wide = shape !== undefined && fields.isWiderThan(shape.width, shape.delimiter);
      const reason = wide ? `${fields.count} fields, the header has ${shape?.width ?? 0}` : plan.onRow(fields);
      if (reason !== undefined) plan.rejects.add(fields.line, reason, fields.raw);
    },
    unreadable: (line: number, reason: string, text: string): void => {
      rows++;
      plan.rejects.add(line, reason, text);
    },
    plausible: (fields: Fields): boolean => idProblem(fields.text(0)) === undefined,
  };
  let head = Buffer.alloc(0);
  let scanner: Scanner | undefined;
  const begin = (last: boolean): void => {
    const header = readHeader(input.name, head, last, plan.columns, plan.delimiter);
    if (!header) return;
    shape = header;
    scanner = new Scanner(header, visitor, header.line);
    scanner.feed(head.subarray(header.next));
    head = Buffer.alloc(0);
  };
  for await (const piece of input.pieces()) {
    if (scanner) scanner.feed(piece);
    else {
      head = Buffer.concat([head, piece]);
      begin(false);
    }
    plan.onProgress(rows);
  }
  if (!scanner) begin(true);
  scanner?.end();
  if (rows === 0)
    throw new PopupError("bad_file", `${input.name} has a header and no row`, {
      hint: "nothing was loaded; to empty a segment, delete it, or load the ids that leave with --mode remove",
    });
  return rows;
}

/** Why an id is not taken, or undefined. */
export function idProblem(id: string): string | undefined {
  if (isUserId(id)) return undefined;
  if (id === "") return "no user id";
  return id.trim() !== id && isUserId(id.trim()) ? "blanks around the user id" : `not a user id (${USER_ID_RULE})`;
}
