/** How an audience lies in Redis, and which encoding is the smaller for a list at hand (DESIGN §6). */
import { PopupError } from "./errors.js";

export const ENCODINGS = ["auto", "bitmap", "set"] as const;
/** What an operator asks for. */
export type RequestedEncoding = (typeof ENCODINGS)[number];
/** What Redis holds. */
export type Encoding = "bitmap" | "set";

/**
 * Bytes one member costs a Redis set of more than 512 entries: the dict entry, its share of the
 * hash table and the member's own allocation. Measured with MEMORY USAGE on Redis 7.0 with ids of
 * 7 to 10 digits: 46 to 62; smaller sets are intsets and cheaper, but then the choice hardly matters.
 */
const SET_BYTES_PER_MEMBER = 50;

/**
 * The encoding for a list: what was asked for, or for `auto` the smaller of the two for its integer ids.
 * @param ids how many integer ids there are, and the largest
 */
export function chooseEncoding(requested: RequestedEncoding, ids: { readonly integers: number; readonly maxInteger: number }): Encoding {
  if (requested !== "auto") return requested;
  if (ids.integers === 0) return "set";
  const bitmapBytes = Math.floor(ids.maxInteger / 8) + 1;
  return bitmapBytes <= ids.integers * SET_BYTES_PER_MEMBER ? "bitmap" : "set";
}

/** @throws PopupError `invalid` for a text that is no encoding */
export function parseEncoding(text: string): RequestedEncoding {
  const found = ENCODINGS.find((encoding) => encoding === text);
  if (!found) {
    const hint = text === "bloom" ? "bloom is not built yet; use auto, bitmap or set" : `use ${ENCODINGS.join(", ")}`;
    throw new PopupError("invalid", `encoding: "${text}" is not available`, { hint, field: "encoding" });
  }
  return found;
}
