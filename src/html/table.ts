/** Tables; columns of figures stand to the right. */
import { Markup, markup } from "./markup.js";

/** @param rows as text, or numbers; a column of nothing but figures, shares and dashes is one of figures */
export function tableOf(head: readonly string[], rows: readonly (readonly (string | number)[])[]): Markup {
  const right = head.map((_, column) => rows.every((row) => /^[\d.,]+( %)?$|^–$/.test(String(row[column]))));
  const cell = (value: string | number, column: number): Markup => {
    const text = typeof value === "number" ? value.toLocaleString("en-US") : value;
    return column === 0 ? markup`<th scope="row">${text}</th>` : markup`<td${new Markup(right[column] === true ? ' class="number"' : "")}>${text}</td>`;
  };
  return markup`<div class="table"><table><thead><tr>${head.map((name, column) => markup`<th scope="col"${new Markup(right[column] === true ? ' class="number"' : "")}>${name}</th>`)}</tr></thead><tbody>${rows.map((row) => markup`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>`;
}
