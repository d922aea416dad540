/** The results as Markdown. */
import { type Bound, type CaseResult, isReached, type Table } from "./case.js";

/** One case under its heading. */
export function renderCase(name: string, { title, about, tables, bounds, remarks, invalid, figure }: CaseResult): string {
  const parts = [`## ${name}: ${title}`, about];
  if (invalid.length > 0) parts.push(`**INVALID, not a measurement:** ${invalid.join("; ")}.`);
  for (const table of tables) parts.push(renderTable(table));
  if (bounds.length > 0) parts.push(bounds.map((bound) => `- ${boundText(bound)}: ${verdict(bound, invalid.length === 0)}`).join("\n"));
  if (remarks.length > 0) parts.push(remarks.join(" "));
  if (figure !== undefined) parts.push(`![${title}](${figure})`);
  return `${parts.join("\n\n")}\n`;
}

function renderTable({ caption, head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  // Figures to the right, words to the left.
  const align = head.map((_, column) => (rows.every((row) => /^[\d.,–-]+$/.test(row[column] ?? "")) ? "---:" : "---"));
  return `${caption}:\n\n${[line(head), line(align), ...rows.map(line)].join("\n")}`;
}

/** Figures that are no measurement reach nothing. */
export function verdict(bound: Bound, valid: boolean): string {
  if (!valid) return "**invalid**";
  return isReached(bound) ? "reached" : "**not reached**";
}

/** `requests/s over the floor: 0.74 (0.71 to 0.78) of ≥ 0.8`. */
export function boundText({ name, value, range, relation, limit, aim, unit = "" }: Bound): string {
  const spread = range === undefined ? "" : ` (${figure(range[0])} to ${figure(range[1])})`;
  const wish = aim === undefined ? "" : ` (aim ${figure(aim)})`;
  // A miss must not look like a hit.
  const shown = value !== limit && figure(value) === figure(limit) ? String(Number(value.toPrecision(6))) : figure(value);
  return `${name}: **${shown}${unit}**${spread} of ${relation} ${figure(limit)}${unit}${wish}`;
}

/** Two decimals below 10, one below 100, none above; limits such as 0.8 and 1 without needless zeros. */
function figure(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  return value < 10 ? String(Number(value.toFixed(2))) : value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en-US");
}
