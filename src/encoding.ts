/** How an audience lies in Redis, which encoding is the smaller for a list at hand (DESIGN §6), and how large it is. */
import { bloomBytes } from "./bloom.js";
import { invalid, PopupError } from "./errors.js";
import { didYouMean } from "./suggest.js";

export const ENCODINGS = ["auto", "bitmap", "set", "bloom"] as const;
/** What an operator asks for. */
export type RequestedEncoding = (typeof ENCODINGS)[number];
/** What Redis holds. */
export type Encoding = Exclude<RequestedEncoding, "auto">;

/**
 * Bytes one integer member costs a Redis set of more than 512 entries: the dict entry, its share of the
 * hash table and the member's own allocation. Measured with MEMORY USAGE on Redis 7.0 with ids of
 * 7 to 10 digits: 46 to 62; smaller sets are intsets and cheaper, but then the choice hardly matters.
 */
const SET_BYTES_PER_MEMBER = 50;
/** The same for a string id of the length of a UUID: 88 to 96. */
const SET_BYTES_PER_STRING = 90;

/** What matters of a list: how many ids of either kind, and the largest integer, -1 for none. */
export interface IdCounts {
  readonly integers: number;
  readonly strings: number;
  readonly maxInteger: number;
}

/**
 * The encoding for a list: what was asked for, or for `auto` the smaller of bitmap and set for its integer ids. A bloom filter is
 * never chosen by itself: it is not exact.
 */
export function chooseEncoding(requested: RequestedEncoding, ids: Pick<IdCounts, "integers" | "maxInteger">): Encoding {
  if (requested !== "auto") return requested;
  if (ids.integers === 0) return "set";
  return bitmapBytes(ids.maxInteger) <= ids.integers * SET_BYTES_PER_MEMBER ? "bitmap" : "set";
}

/** About how many bytes of Redis' memory an audience takes by itself, of a bitmap at most; the audience index comes on top. */
export function redisBytes(encoding: Encoding, { integers, strings, maxInteger }: IdCounts): number {
  if (integers + strings === 0) return 0;
  if (encoding === "bloom") return bloomBytes(integers + strings);
  return (encoding === "bitmap" ? bitmapBytes(maxInteger) : integers * SET_BYTES_PER_MEMBER) + strings * SET_BYTES_PER_STRING;
}

/** A bitmap of this size is worth a look, and one that is so many times as large as the set is a mistake. */
const LARGE_BITMAP = 16 * 2 ** 20,
  WASTE = 8;

/** @throws PopupError `invalid` for a bitmap that would be large for few users */
export function refuseWaste({ integers, maxInteger }: Pick<IdCounts, "integers" | "maxInteger">): void {
  const bytes = bitmapBytes(maxInteger);
  if (bytes <= LARGE_BITMAP || bytes <= WASTE * integers * SET_BYTES_PER_MEMBER) return;
  throw invalid(
    "encoding",
    `a bitmap of these ids would take ${Math.round(bytes / 2 ** 20)} MiB for ${integers.toLocaleString("en-US")} users`,
    "use auto, set or bloom",
  );
}

/** The length of a bitmap whose last bit is that of the largest id. */
export const bitmapBytes = (maxInteger: number): number => Math.floor(maxInteger / 8) + 1;

/** @throws PopupError `invalid` for a text that is no encoding */
export function parseEncoding(text: string): RequestedEncoding {
  const found = ENCODINGS.find((encoding) => encoding === text);
  if (!found) {
    throw new PopupError("invalid", `encoding: "${text}" is not available`, {
      hint: `${didYouMean(text, ENCODINGS)}use ${ENCODINGS.join(", ")}`,
      field: "encoding",
    });
  }
  return found;
}
