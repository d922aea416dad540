/** `--admin HOST:PORT`, where metrics are served or read. */
import { invalid } from "../../errors.js";
import type { Address } from "../../serve/admin.js";

/** Where `serve` has its admin listener unless told otherwise. */
export const DEFAULT_ADMIN = "127.0.0.1:9464";

/** Null for `off`. @throws PopupError `invalid` */
export function parseAdmin(text: string): Address | null {
  if (text === "off") return null;
  const cut = text.lastIndexOf(":");
  if (cut < 1) throw invalid("--admin", `"${text}" is not HOST:PORT`, `write ${DEFAULT_ADMIN}, or off`);
  return { host: text.slice(0, cut).replace(/^\[|\]$/g, ""), port: wholeNumber("--admin", text.slice(cut + 1), 1, 65_535) };
}

/** @throws PopupError `invalid`, naming the flag */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw invalid(name, `"${text}" is not a whole number of ${least} to ${most}`, `give ${least} to ${most}`);
  return value;
}
