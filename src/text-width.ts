/** Text in columns of a terminal, where a character may take two. */
import stringWidth from "string-width";

/** The text, or its beginning and … where it is wider. @param width columns, 1 or more */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The text with blanks behind it, cut where it is wider. */
export function fit(text: string, width: number): string {
  const cutText = cut(text, width);
  return cutText + " ".repeat(width - stringWidth(cutText));
}
