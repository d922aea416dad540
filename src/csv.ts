/** CSV as text, RFC 4180, with lines that end in a newline alone. */

/** @param rows lists are joined with commas, null is an empty cell */
export function formatCsv(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\n");
}

function cell(value: unknown): string {
  const text = Array.isArray(value) ? value.join(",") : value === null || value === undefined ? "" : String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
