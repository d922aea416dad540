/**
 * Large audiences lie in Redis in parts, each a key of its own: half a megabyte of a bitmap or of a bloom filter, some 65,536 members of a
 * set. Redis is never held long by one of them, and a change sends the parts that it is in.
 */
import { bloomBytes } from "./bloom.js";
import { CHUNK_BITS, CHUNK_BYTES } from "./chunk.js";
import { bitmapBytes, type Encoding, type IdCounts } from "./encoding.js";

/** A part of a bitmap; `lua/lib/audiences.lua` knows its size too. */
export const PART_CHUNKS = 64,
  PART_IDS = PART_CHUNKS * CHUNK_BITS,
  PART_BYTES = PART_CHUNKS * CHUNK_BYTES;
/** Members of a set, at most, for which one part is enough; about as many are in each of several. */
const SET_PART_MEMBERS = 65_536;

/** How many parts an audience's own key has, and the set of the string ids beside a bitmap. */
export interface Parts {
  readonly main: number;
  readonly strings: number;
}

export function partsOf(encoding: Encoding, { integers, strings, maxInteger }: IdCounts): Parts {
  if (encoding === "bitmap") return { main: Math.ceil(bitmapBytes(maxInteger) / PART_BYTES), strings: strings === 0 ? 0 : partsOfSet(strings) };
  return { main: encoding === "set" ? partsOfSet(integers + strings) : Math.ceil(bloomBytes(integers + strings) / PART_BYTES), strings: 0 };
}

/** A power of two: with another number of parts every member is in another part. */
const partsOfSet = (members: number): number => 2 ** Math.max(0, Math.ceil(Math.log2(members / SET_PART_MEMBERS)));

/**
 * The part of a set that a member is in: the upper bits of a multiplicative hash of its characters, modulo 2^32 (Knuth, The Art of
 * Computer Programming, vol. 3, 6.4). The multiplier has 20 bits, so that Lua's doubles hold each product exactly.
 */
export function setPartOf(id: string, parts: number): number {
  let hash = 0;
  if (parts > 1) for (let at = 0; at < id.length; at++) hash = Math.imul(hash + id.charCodeAt(at), 648_055);
  // Once more with the upper half, which the last characters have not reached.
  hash = Math.imul(hash + (hash >>> 16), 648_055);
  return Math.floor(((hash >>> 0) * parts) / 2 ** 32);
}
