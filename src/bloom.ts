/**
 * Bloom filters of audiences: whether a user may be in one, in 14.4 bits per member whatever the ids look like. Who is in it is always
 * found; of those who are not, one in a thousand is taken for a member (Bloom, "Space/time trade-offs in hash coding with allowable
 * errors", 1970). The places of a member are h1 + i·h2 (Kirsch and Mitzenmacher, "Less hashing, same performance", 2006), of two 32-bit
 * halves of the SHA-1 of its id, which Redis' Lua has built in; `lua/lib/audiences.lua` computes the same.
 */
import { hash } from "node:crypto";

/** The share of users outside an audience who are taken for members. */
export const BLOOM_FALSE_POSITIVES = 0.001;
/** Bits of a member: -log2 of the share, rounded. */
const BLOOM_HASHES = 10;
/** Bits per member: hashes / ln 2. */
const BITS_PER_MEMBER = BLOOM_HASHES / Math.LN2;
/** A smaller one saves nothing worth having, and this one is as good as exact for a few hundred members. */
const LEAST_BYTES = 1_024;
const MOST_BYTES = 536_870_912;

/** The size of the filter of so many members, in bytes. A Redis string holds no more than 512 MiB: from 298 million members on, more users are taken for members. */
export function bloomBytes(members: number): number {
  return Math.min(MOST_BYTES, Math.max(LEAST_BYTES, Math.ceil((members * BITS_PER_MEMBER) / 8)));
}

/** Sets the bits of a member. Bit 0 is the highest of byte 0, as Redis numbers them. */
export function addToBloom(filter: Uint8Array, id: string): void {
  const digest = hash("sha1", id, "buffer");
  const bits = filter.length * 8;
  const [first, step] = [digest.readUInt32BE(0), (digest.readUInt32BE(4) | 1) >>> 0];
  for (let i = 0; i < BLOOM_HASHES; i++) {
    const bit = (first + i * step) % bits;
    const byte = Math.floor(bit / 8);
    filter[byte] = (filter[byte] ?? 0) | (0x80 >> (bit % 8));
  }
}
