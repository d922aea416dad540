/** Bars out of block characters, for a terminal. */

const LEVELS = "▁▂▃▄▅▆▇█";
const EIGHTHS = " ▏▎▍▌▋▊▉";

/** A sparkline: a character for each value, the greatest as high as the line; a dot for 0. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(0, ...values);
  return values.map((value) => (value <= 0 ? "·" : (LEVELS[Math.ceil((value / most) * LEVELS.length) - 1] ?? ""))).join("");
}

/** A bar to the right, `width` characters for `most`; anything but 0 is seen. */
export function bar(value: number, most: number, width: number): string {
  if (value <= 0 || most <= 0) return "";
  const eighths = Math.max(1, Math.round((value / most) * width * 8));
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "").trim();
}
