/**
 * A chunk: the members of a set of integer ids among 65,536 of them, as numbers from 0.
 *
 * Bits are numbered as Redis numbers them (bit 0 is the highest of byte 0), so that a chunk is sent to a Redis bitmap as it stands.
 * Packed, as the store keeps it, a chunk is its 8 KiB of bits, or, when sparse, its members as ascending little-endian 16-bit numbers.
 */
import { endianness } from "node:os";
import { includesOrdered, keepOnce } from "./ordered.js";

export const CHUNK_BITS = 65_536;
export const CHUNK_BYTES = CHUNK_BITS / 8;
/** From this many members on, 8 KiB of bits are smaller than two bytes per member. */
const DENSE_FROM = CHUNK_BYTES / 2;
const FIRST_CAPACITY = 8;

/**
 * A chunk that grows: a list of members while that is the smaller form, bits from then on. The list takes members as they come, and
 * is put in order when it is full or looked at: keeping it in order with every member would cost a load more than all the rest.
 */
export class Chunk {
  #list: Uint16Array | undefined = new Uint16Array(FIRST_CAPACITY);
  /** Members in the list, those that stand there twice counted twice unless it is in order. */
  #length = 0;
  #ordered = true;
  #bits: Uint8Array = NONE;

  /** @param packed is copied */
  static of(packed: Uint8Array): Chunk {
    const chunk = new Chunk();
    if (packed.length === CHUNK_BYTES) {
      chunk.#list = undefined;
      chunk.#bits = new Uint8Array(packed);
    } else {
      chunk.#list = new Uint16Array(Math.max(FIRST_CAPACITY, packed.length / 2));
      eachMember(packed, (member) => chunk.add(member));
    }
    return chunk;
  }

  get size(): number {
    return this.#list ? this.#order(this.#list) : countBits(this.#bits);
  }

  add(member: number): void {
    const list = this.#list;
    if (!list) {
      this.#bits[member >> 3] = (this.#bits[member >> 3] ?? 0) | (0x80 >> (member & 7));
      return;
    }
    if (this.#length === list.length) {
      this.#makeRoom(list);
      this.add(member);
      return;
    }
    // Files are often in order themselves.
    if (this.#length > 0 && (list[this.#length - 1] ?? 0) >= member) this.#ordered = false;
    list[this.#length++] = member;
  }

  has(member: number): boolean {
    if (!this.#list) return ((this.#bits[member >> 3] ?? 0) & (0x80 >> (member & 7))) !== 0;
    return includesOrdered(this.#list, this.#order(this.#list), member);
  }

  /** The packed form. It is a view: not to be kept past the next change. */
  packed(): Uint8Array {
    if (!this.#list) return packChunk(this.#bits);
    const members = this.#list.subarray(0, this.#order(this.#list));
    if (LITTLE_ENDIAN) return new Uint8Array(members.buffer, members.byteOffset, members.byteLength);
    const bytes = new Uint8Array(members.length * 2);
    const view = new DataView(bytes.buffer);
    members.forEach((member, index) => view.setUint16(index * 2, member, true));
    return bytes;
  }

  /** Puts the list in order, each member once; returns how many there are. */
  #order(list: Uint16Array): number {
    if (this.#ordered) return this.#length;
    list.subarray(0, this.#length).sort();
    this.#ordered = true;
    return (this.#length = keepOnce(list, this.#length));
  }

  #makeRoom(list: Uint16Array): void {
    // Where half of it was there twice, putting it in order has made room enough.
    if (this.#order(list) <= list.length / 2) return;
    if (list.length * 2 >= DENSE_FROM) {
      this.#bits = unpackChunk(this.packed());
      this.#list = undefined;
      return;
    }
    this.#list = new Uint16Array(list.length * 2);
    this.#list.set(list.subarray(0, this.#length));
  }
}

const NONE = new Uint8Array(0);
const LITTLE_ENDIAN = endianness() === "LE";

/** How many members a packed chunk has. */
export function countMembers(packed: Uint8Array): number {
  return packed.length === CHUNK_BYTES ? countBits(packed) : packed.length / 2;
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

/** The ids of a packed chunk, ascending. @param number the chunk's */
export function idsIn(number: number, packed: Uint8Array): number[] {
  const ids: number[] = [];
  eachMember(packed, (member) => ids.push(number * CHUNK_BITS + member));
  return ids;
}

/** The 8 KiB of bits of a packed chunk, a copy. */
export function unpackChunk(packed: Uint8Array): Uint8Array {
  if (packed.length === CHUNK_BYTES) return new Uint8Array(packed);
  const bits = new Uint8Array(CHUNK_BYTES);
  eachMember(packed, (member) => (bits[member >> 3] = (bits[member >> 3] ?? 0) | (0x80 >> (member & 7))));
  return bits;
}

/** The packed form of 8 KiB of bits; dense bits are packed as they are, without a copy. */
export function packChunk(bits: Uint8Array): Uint8Array {
  const size = countBits(bits);
  if (size >= DENSE_FROM) return bits;
  const packed = new Uint8Array(size * 2);
  const view = new DataView(packed.buffer);
  let at = 0;
  eachMember(bits, (member) => {
    view.setUint16(at, member, true);
    at += 2;
  });
  return packed;
}

/** The packed form of ids of one chunk. @param ids ascending, each once; those from `from` to before `to` are meant */
export function packMembers(ids: Uint32Array, from: number, to: number): Uint8Array {
  if (to - from < DENSE_FROM) {
    const packed = new Uint8Array((to - from) * 2);
    for (let at = 0; at < packed.length; at += 2) {
      const id = ids[from + at / 2] ?? 0;
      packed[at] = id;
      packed[at + 1] = id >>> 8;
    }
    return packed;
  }
  const bits = new Uint8Array(CHUNK_BYTES);
  for (let at = from; at < to; at++) {
    const member = (ids[at] ?? 0) % CHUNK_BITS;
    bits[member >> 3] = (bits[member >> 3] ?? 0) | (0x80 >> (member & 7));
  }
  return bits;
}

/** What a set operation on two packed chunks makes of the first, and by how many members it grew and shrank. */
export interface Combined {
  readonly members: Uint8Array;
  readonly added: number;
  readonly removed: number;
}

/** `replace`: the second in the place of the first; `add`: both; `remove`: the first without the second. */
export function combine(first: Uint8Array, second: Uint8Array, mode: "replace" | "add" | "remove"): Combined {
  // What most loads of a new audience come to.
  if (first.length === 0) return mode === "remove" ? { members: first, added: 0, removed: 0 } : { members: second, added: countMembers(second), removed: 0 };
  if (second.length === 0) return mode === "replace" ? { members: second, added: 0, removed: countMembers(first) } : { members: first, added: 0, removed: 0 };
  const [a, b] = [chunkWords(first), chunkWords(second)];
  const result = new Uint32Array(a.length);
  let added = 0;
  let removed = 0;
  for (let i = 0; i < a.length; i++) {
    const [before = 0, given = 0] = [a[i], b[i]];
    const after = mode === "replace" ? given : mode === "add" ? before | given : before & ~given;
    added += popcount(after & ~before);
    removed += popcount(before & ~after);
    result[i] = after;
  }
  return { members: packChunk(new Uint8Array(result.buffer)), added, removed };
}

function countBits(bits: Uint8Array): number {
  return countWords(bits.byteOffset % 4 === 0 ? new Uint32Array(bits.buffer, bits.byteOffset, CHUNK_BYTES / 4) : chunkWords(bits));
}

/** The bits of a packed chunk, 32 to a word, a copy; which bit of a word is whose depends on the machine. */
export function chunkWords(packed: Uint8Array): Uint32Array {
  return new Uint32Array(unpackChunk(packed).buffer);
}

/** How many bits are set. */
export function countWords(words: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < words.length; i++) count += popcount(words[i] ?? 0);
  return count;
}

/** The bits of a 32-bit number that are set: sums of pairs, of fours, of bytes (Warren, Hacker's Delight, 5-1). */
function popcount(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
