/**
 * A set of user ids held in memory: integer ids as bits in chunks of 65,536, string ids as they are.
 *
 * Bits are numbered as Redis numbers them (bit 0 is the highest of byte 0), so that a chunk is
 * sent to a Redis bitmap as it stands.
 */
import { integerId } from "./user-id.js";

export const CHUNK_BITS = 65_536;
export const CHUNK_BYTES = CHUNK_BITS / 8;
/** From this many members on, 8 KiB of bits are smaller than two bytes per member. */
const DENSE_FROM = CHUNK_BYTES / 2;

export class IdSet {
  readonly chunks = new Map<number, Uint8Array>();
  readonly strings = new Set<string>();
  #integers = 0;

  /** How many integer ids are in the set. */
  get integers(): number {
    return this.#integers;
  }

  get size(): number {
    return this.#integers + this.strings.size;
  }

  /** Adds a valid user id; true when it was not in the set. */
  add(id: string): boolean {
    const integer = integerId(id);
    if (integer !== undefined) return this.#addInteger(integer);
    if (this.strings.has(id)) return false;
    this.strings.add(id);
    return true;
  }

  /** Removes a valid user id; true when it was in the set. */
  delete(id: string): boolean {
    const integer = integerId(id);
    if (integer === undefined) return this.strings.delete(id);
    const chunk = this.chunks.get(Math.floor(integer / CHUNK_BITS));
    const bit = integer % CHUNK_BITS;
    const mask = 0x80 >> (bit & 7);
    const byte = chunk?.[bit >> 3] ?? 0;
    if (!chunk || (byte & mask) === 0) return false;
    chunk[bit >> 3] = byte & ~mask;
    this.#integers--;
    return true;
  }

  has(id: string): boolean {
    const integer = integerId(id);
    if (integer === undefined) return this.strings.has(id);
    const bit = integer % CHUNK_BITS;
    return ((this.chunks.get(Math.floor(integer / CHUNK_BITS))?.[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  }

  /** The largest integer id, or -1 when there is none. */
  get maxInteger(): number {
    for (const number of [...this.chunks.keys()].sort((a, b) => b - a)) {
      const chunk = this.chunks.get(number);
      const members = chunk ? membersOf(chunk) : [];
      const last = members.at(-1);
      if (last !== undefined) return number * CHUNK_BITS + last;
    }
    return -1;
  }

  /** Integer ids in ascending order. */
  *integerIds(): Generator<number> {
    for (const number of [...this.chunks.keys()].sort((a, b) => a - b)) {
      const chunk = this.chunks.get(number);
      if (!chunk) continue;
      for (const member of membersOf(chunk)) yield number * CHUNK_BITS + member;
    }
  }

  /** Puts a packed chunk, as {@link packChunk} makes it, into an empty place of the set. */
  putPacked(number: number, packed: Uint8Array): void {
    const chunk = unpackChunk(packed);
    this.chunks.set(number, chunk);
    this.#integers += membersOf(chunk).length;
  }

  #addInteger(id: number): boolean {
    const number = Math.floor(id / CHUNK_BITS);
    let chunk = this.chunks.get(number);
    if (!chunk) {
      chunk = new Uint8Array(CHUNK_BYTES);
      this.chunks.set(number, chunk);
    }
    const bit = id % CHUNK_BITS;
    const mask = 0x80 >> (bit & 7);
    const byte = chunk[bit >> 3] ?? 0;
    if ((byte & mask) !== 0) return false;
    chunk[bit >> 3] = byte | mask;
    this.#integers++;
    return true;
  }
}

function membersOf(chunk: Uint8Array): number[] {
  const members: number[] = [];
  for (let index = 0; index < chunk.length; index++) {
    const byte = chunk[index] ?? 0;
    if (byte === 0) continue;
    for (let bit = 0; bit < 8; bit++) {
      if ((byte & (0x80 >> bit)) !== 0) members.push(index * 8 + bit);
    }
  }
  return members;
}

/** A chunk as the store keeps it: its 8 KiB of bits, or, when sparse, its members as ascending little-endian 16-bit numbers. */
export function packChunk(chunk: Uint8Array): Uint8Array {
  const members = membersOf(chunk);
  if (members.length >= DENSE_FROM) return chunk;
  const packed = new Uint8Array(members.length * 2);
  const view = new DataView(packed.buffer);
  members.forEach((member, index) => view.setUint16(index * 2, member, true));
  return packed;
}

/** Calls `visit` with each member of a packed chunk, ascending. */
export function eachMember(packed: Uint8Array, visit: (member: number) => void): void {
  if (packed.length !== CHUNK_BYTES) {
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
    for (let at = 0; at < packed.length; at += 2) visit(view.getUint16(at, true));
    return;
  }
  for (let index = 0; index < CHUNK_BYTES; index++) {
    let byte = packed[index] ?? 0;
    for (let member = index * 8; byte !== 0; member++, byte = (byte << 1) & 0xff) if ((byte & 0x80) !== 0) visit(member);
  }
}

/** The 8 KiB of bits of a packed chunk. */
export function unpackChunk(packed: Uint8Array): Uint8Array {
  if (packed.length === CHUNK_BYTES) return new Uint8Array(packed);
  const chunk = new Uint8Array(CHUNK_BYTES);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < packed.length; at += 2) {
    const member = view.getUint16(at, true);
    chunk[member >> 3] = (chunk[member >> 3] ?? 0) | (0x80 >> (member & 7));
  }
  return chunk;
}
