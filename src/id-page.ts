/**
 * A page: the members of a set of integer ids among 16,777,216 of them, as numbers from 0. A list in order while they are few, 256
 * chunks (src/chunk.ts) once bits take less. A list of millions of ids over the whole 32-bit range is a few tens of thousands on
 * each page: its chunks would be 65,536 small objects, met in no order.
 */
import { CHUNK_BITS, Chunk, packMembers } from "./chunk.js";
import { includesOrdered, keepOnce } from "./ordered.js";

export const PAGE_CHUNKS = 256;
const PAGE_IDS = PAGE_CHUNKS * CHUNK_BITS;
const FIRST_CAPACITY = 16;
/** From so many ids in each chunk that has any, 8 KiB of bits are smaller than 4 bytes per id. */
const CROWDED = 2_048;
/** Below this a comparison sort is as quick. */
const RADIX_FROM = 2_048;
const DIGIT_BITS = 12,
  DIGIT = 2 ** DIGIT_BITS - 1;

export class IdPage {
  /** Ids as they come; the first `#ordered` of them ascending, each once. */
  #list: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  #length = 0;
  #ordered = 0;
  #chunks: (Chunk | undefined)[] | undefined;

  get size(): number {
    return this.#chunks ? this.#chunks.reduce((sum, chunk) => sum + (chunk?.size ?? 0), 0) : this.#inOrder().length;
  }

  add(id: number): void {
    if (this.#chunks) return addTo(this.#chunks, id);
    this.#list[this.#length++] = id;
    if (this.#length === this.#list.length) this.#makeRoom();
  }

  has(id: number): boolean {
    if (this.#chunks) return this.#chunks[id >>> 16]?.has(id % CHUNK_BITS) ?? false;
    const ids = this.#inOrder();
    return includesOrdered(ids, ids.length, id);
  }

  /** Puts a packed chunk into an empty place of the page. @param number from 0 to 255 */
  putPacked(number: number, packed: Uint8Array): void {
    this.#toChunks()[number] = Chunk.of(packed);
  }

  /** The chunks that have members, ascending, packed; views that a change of the page may spoil. */
  *packed(): Generator<{ number: number; members: Uint8Array }> {
    for (const [number, chunk] of (this.#chunks ?? []).entries()) if (chunk) yield { number, members: chunk.packed() };
    if (this.#chunks) return;
    const ids = this.#inOrder();
    for (let from = 0, to = 0; from < ids.length; from = to) {
      to = endOfChunk(ids, from);
      yield { number: (ids[from] ?? 0) >>> 16, members: packMembers(ids, from, to) };
    }
  }

  #inOrder(): Uint32Array {
    if (this.#ordered < this.#length) this.#ordered = this.#length = orderOnce(this.#list, this.#length);
    return this.#list.subarray(0, this.#length);
  }

  #makeRoom(): void {
    const ids = this.#inOrder();
    // Where half of it was there twice, putting it in order has made room enough.
    if (ids.length <= this.#list.length / 2) return;
    if (ids.length >= CROWDED && isCrowded(ids)) {
      this.#toChunks();
      return;
    }
    this.#list = new Uint32Array(Math.min(this.#list.length * 2, PAGE_IDS));
    this.#list.set(ids);
  }

  #toChunks(): (Chunk | undefined)[] {
    if (this.#chunks) return this.#chunks;
    const chunks: (Chunk | undefined)[] = Array.from({ length: PAGE_CHUNKS }, () => undefined);
    for (const id of this.#inOrder()) addTo(chunks, id);
    this.#list = new Uint32Array(0);
    this.#length = this.#ordered = 0;
    return (this.#chunks = chunks);
  }
}

function addTo(chunks: (Chunk | undefined)[], id: number): void {
  const number = id >>> 16;
  (chunks[number] ??= new Chunk()).add(id % CHUNK_BITS);
}

/** @param ids ascending */
function isCrowded(ids: Uint32Array): boolean {
  let chunks = 0;
  for (let at = 0; at < ids.length; at = endOfChunk(ids, at)) chunks++;
  return ids.length >= chunks * CROWDED;
}

/** Where the ids end that are in the same chunk as the one at `from`. @param ids ascending */
function endOfChunk(ids: Uint32Array, from: number): number {
  const next = (((ids[from] ?? 0) >>> 16) + 1) * CHUNK_BITS;
  let to = from + 1;
  while (to < ids.length && (ids[to] ?? 0) < next) to++;
  return to;
}

/** Puts the first `length` ids in ascending order, each once; returns how many there are. */
function orderOnce(list: Uint32Array, length: number): number {
  const ids = list.subarray(0, length);
  if (length < RADIX_FROM) ids.sort();
  else {
    const between = new Uint32Array(length);
    byDigit(ids, between, 0);
    byDigit(between, ids, DIGIT_BITS);
  }
  return keepOnce(ids, length);
}

const places = new Uint32Array(DIGIT + 1);

/** One pass of a radix sort (Knuth, The Art of Computer Programming, vol. 3, 5.2.5); 24 bits take two. */
function byDigit(from: Uint32Array, to: Uint32Array, shift: number): void {
  places.fill(0);
  for (let at = 0; at < from.length; at++) {
    const digit = ((from[at] ?? 0) >>> shift) & DIGIT;
    places[digit] = (places[digit] ?? 0) + 1;
  }
  let place = 0;
  for (let digit = 0; digit <= DIGIT; digit++) {
    const count = places[digit] ?? 0;
    places[digit] = place;
    place += count;
  }
  for (let at = 0; at < from.length; at++) {
    const id = from[at] ?? 0;
    const digit = (id >>> shift) & DIGIT;
    const free = places[digit] ?? 0;
    places[digit] = free + 1;
    to[free] = id;
  }
}
