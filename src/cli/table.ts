/** Tables without frames, as wide as the terminal at most. */
import Table from "cli-table3";
import stringWidth from "string-width";

type Cell = string | number;

/** What may be done to a table that is wider than the terminal. */
export interface TableShape {
  /** Heads of columns of names, which are cut with an …; an id or a time is never cut. */
  readonly cut?: readonly string[];
  /** Head of a column of prose, which goes on in further lines; a word that is too long for a line stays whole. */
  readonly wrap?: string;
  /** Heads of columns that stand to the right although they are no numbers. */
  readonly right?: readonly string[];
}

const GAP = "  ";
/** A name that is cut keeps as much as tells it from others. */
const LEAST_CUT = 5;
const LEAST_WRAPPED = 24;
const WIDEST_LABEL = 24;
const BLANK = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
  ].map((part) => [part, ""]),
);

/** The columns of the terminal that results go to; what is not read by a person keeps its length. */
const terminalColumns = (): number | undefined => (process.stdout.isTTY ? process.stdout.columns : undefined);

/**
 * Numbers to the right, with separators. A table that does not fit even so is told row by row, a line for each column.
 * @param columns what it has to fit; undefined for whatever it takes
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { cut = ["title"], wrap, right = [] }: TableShape = {},
  columns = terminalColumns(),
): string {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en-US") : cell)));
  const numeric = head.map((name, column) => right.includes(name) || (rows.length > 0 && rows.every((row) => typeof row[column] === "number")));
  const widths = head.map((name, column) => Math.max(stringWidth(name), ...texts.map((row) => stringWidth(row[column] ?? ""))));
  const least = head.map((name) => (name === wrap ? LEAST_WRAPPED : cut.includes(name) ? LEAST_CUT : Number.POSITIVE_INFINITY));
  if (columns !== undefined && !shrink(widths, least, columns)) return texts.map((row) => block(head, row, columns)).join("\n\n");
  const fitting = texts.map((row) => row.map((text, column) => (head[column] === wrap ? wrapped(text, widths[column] ?? 0) : text)));
  // A word that stayed whole is as wide as it is.
  const colWidths = widths.map((width, column) => (head[column] === wrap ? null : width));
  return draw(fitting, { head: [...head], colWidths, colAligns: numeric.map((n) => (n ? "right" : "left")) });
}

/** Makes the widest of what may be narrower narrower, until all fits; false when it does not. */
function shrink(widths: number[], least: readonly number[], columns: number): boolean {
  let over = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - columns;
  while (over > 0) {
    const room = widths.map((width, column) => width - (least[column] ?? 0));
    const widest = room.indexOf(Math.max(...room));
    if ((room[widest] ?? 0) <= 0) return false;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over--;
  }
  return true;
}

function block(head: readonly string[], row: readonly string[], columns: number): string {
  const label = Math.min(WIDEST_LABEL, Math.max(...head.map((name) => stringWidth(name))));
  return draw(
    head.map((name, column) => [name, wrapped(row[column] ?? "", columns - label - GAP.length)]),
    { colWidths: [label, null] },
  );
}

function draw(rows: readonly (readonly string[])[], options: Table.TableConstructorOptions | { colWidths: readonly (number | null)[] }): string {
  // The type knows no null, which is a column as wide as it is.
  const grid = new Table({
    ...(options as Table.TableConstructorOptions),
    chars: { ...BLANK, middle: GAP },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) grid.push([...row]);
  return grid
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** The text in lines of so many columns, broken at blanks. */
export function wrapped(text: string, width: number): string {
  return text
    .split("\n")
    .map((paragraph) => {
      const lines: string[] = [];
      for (const word of paragraph.split(" ")) {
        const last = lines.at(-1);
        if (last !== undefined && stringWidth(last) + 1 + stringWidth(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
        else lines.push(word);
      }
      return lines.join("\n");
    })
    .join("\n");
}
