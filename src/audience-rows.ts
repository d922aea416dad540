/**
 * The audience index: all audiences turned on their side, so that one read tells in which of them a
 * user is. Each audience has a slot; a user has a row with one bit for each slot, bit 0 the highest
 * of byte 0. Where a row lies:
 *
 *   integer ids   in blocks of 65,536. A dense block is one string of rows of equal width; a sparse one is
 *                 a hash of id → row, without the zero bytes at a row's end
 *   string ids    in buckets of some dozens by a hash of the id; each a Redis hash of id → row
 *
 * A user without a row is in no audience. Sync builds it, the API process finds rows in it, the
 * select script reads them.
 */
import { CHUNK_BITS } from "./chunk.js";

export interface AudienceIndex {
  /** Names its keys; every build has its own. */
  readonly generation: string;
  /** Bits in a row. */
  readonly slots: number;
  /** Blocks of each form, as ranges: first, last, first, last, … ascending. */
  readonly dense: readonly number[];
  readonly sparse: readonly number[];
  /** Buckets of string ids; 0 when none is in any audience. */
  readonly buckets: number;
}

export type BlockForm = "dense" | "sparse";
/** String ids in a bucket on average; Redis keeps a hash of up to 128 entries in one compact block. */
export const BUCKET_IDS = 48;

/** Bytes of a whole row. */
export const rowWidth = (slots: number): number => Math.ceil(slots / 8);

/** The block of an integer id. */
export const blockOf = (id: number): number => Math.floor(id / CHUNK_BITS);

/** The bucket of a string id: FNV-1a, 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv). */
export function bucketOf(id: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % buckets;
}

/** Ascending numbers as ranges. */
export function toRanges(numbers: readonly number[]): number[] {
  const ranges: number[] = [];
  for (const n of numbers) {
    if (ranges.length > 0 && ranges.at(-1) === n - 1) ranges[ranges.length - 1] = n;
    else ranges.push(n, n);
  }
  return ranges;
}

/** The numbers of ranges, ascending. */
export function* inRanges(ranges: readonly number[]): Generator<number> {
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    for (let n = ranges[i] ?? 0; n <= (ranges[i + 1] ?? -1); n++) yield n;
  }
}

/** The form of each block that has one. */
export function blockForms(index: AudienceIndex): Map<number, BlockForm> {
  const forms = new Map<number, BlockForm>();
  for (const form of ["dense", "sparse"] as const) {
    for (const block of inRanges(index[form])) forms.set(block, form);
  }
  return forms;
}
