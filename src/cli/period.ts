/** `--from` and `--to`. */
import { invalid } from "../errors.js";
import { parseTime } from "../time.js";

/** @returns epoch ms, from inclusive, to exclusive; without a flag as far as there is time @throws PopupError `invalid` */
export function parsePeriod(flags: { readonly from?: string; readonly to?: string }, timezone: string): { from: number; to: number } {
  const from = flags.from === undefined ? 0 : parseTime(flags.from, timezone, "--from");
  const to = flags.to === undefined ? Number.MAX_SAFE_INTEGER : parseTime(flags.to, timezone, "--to");
  if (to <= from) throw invalid("--to", "is not after --from", "give an end later than the start");
  return { from, to };
}
