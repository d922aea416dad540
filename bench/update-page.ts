/** Puts the cases of a run that was not of all into the page of one that was. */

interface Page {
  /** What stands before the table of all figures. */
  readonly head: string;
  /** Case → its rows of that table, and its section. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
  readonly sections: ReadonlyMap<string, string>;
}

const TABLE = "| case | figure | |\n| --- | --- | --- |\n";

/**
 * The page with the sections and rows of `run` in the place of its own; each says what it was measured with.
 * @param page, run as `renderResults` makes them
 * @param note of the cases of `run`: when, and with what
 * @param order the names of all cases
 * @throws Error for what is no such page
 */
export function updatePage(page: string, run: string, note: string, order: readonly string[]): string {
  const [before, after] = [parse(page), parse(run)];
  const noted = new Map([...after.sections].map(([name, text]) => [name, text.replace("\n\n", `\n\n${note}\n\n`)]));
  const rows = order.flatMap((name) => after.rows.get(name) ?? before.rows.get(name) ?? []);
  const sections = order.flatMap((name) => noted.get(name) ?? before.sections.get(name) ?? []);
  return `${before.head}${TABLE}${rows.join("\n")}\n\n${sections.join("\n\n")}\n`;
}

function parse(text: string): Page {
  const [head, rest] = text.split(TABLE);
  if (head === undefined || rest === undefined) throw new Error("the page has no table of figures");
  const [table = "", ...sections] = rest.split(/\n\n(?=## )/);
  const rows = new Map<string, string[]>();
  for (const row of table.trim().split("\n")) {
    const name = /^\| (\S+) \|/.exec(row)?.[1] ?? "";
    rows.set(name, [...(rows.get(name) ?? []), row]);
  }
  return { head, rows, sections: new Map(sections.map((section) => [/^## ([^:\s]+)/.exec(section)?.[1] ?? "", section.trimEnd()])) };
}
