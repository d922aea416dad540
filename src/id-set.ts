/** A set of user ids held in memory: integer ids in chunks of 65,536, string ids as they are. */
import { Chunk, CHUNK_BITS, eachMember } from "./chunk.js";
import { integerId } from "./user-id.js";

/** Chunks on a page: of all chunk numbers there are as many pages. */
const PAGE = 256;
/**
 * With more chunks than this, ids in no order would miss the processor's caches one by one: 3 million took three times as long.
 * They are collected first, and put in order some at a time.
 */
const WIDE_FROM = 2_048;
const COLLECTED = 1_048_576;

export class IdSet {
  readonly strings = new Set<string>();
  /** By their number, in pages. Not a Map: a load looks one up for every row, and a file may be in no order. */
  readonly #pages: ((Chunk | undefined)[] | undefined)[] = Array.from({ length: PAGE }, () => undefined);
  #chunkCount = 0;
  /** Ids on their way to their chunks, once there are many chunks. */
  #collected: Uint32Array | undefined;
  #waiting = 0;

  /** How many integer ids are in the set. Counts them: not for loops. */
  get integers(): number {
    let count = 0;
    for (const { chunk } of this.#chunks()) count += chunk.size;
    return count;
  }

  get size(): number {
    return this.integers + this.strings.size;
  }

  /** Adds a valid user id. */
  add(id: string): void {
    const integer = integerId(id);
    if (integer === undefined) this.strings.add(id);
    else this.addInteger(integer);
  }

  addInteger(id: number): void {
    if (!this.#collected) return this.#put(id);
    this.#collected[this.#waiting++] = id;
    if (this.#waiting === COLLECTED) this.#settle();
  }

  has(id: string): boolean {
    const integer = integerId(id);
    if (integer === undefined) return this.strings.has(id);
    this.#settle();
    const number = Math.floor(integer / CHUNK_BITS);
    return this.#pages[number >> 8]?.[number % PAGE]?.has(integer % CHUNK_BITS) ?? false;
  }

  /** The largest integer id, or -1 when there is none. */
  get maxInteger(): number {
    let max = -1;
    for (const { number, members } of this.packed()) if (members.length > 0) eachMember(members, (member) => (max = number * CHUNK_BITS + member));
    return max;
  }

  /** Integer ids in ascending order. */
  *integerIds(): Generator<number> {
    for (const { number, members } of this.packed()) {
      const found: number[] = [];
      eachMember(members, (member) => found.push(number * CHUNK_BITS + member));
      yield* found;
    }
  }

  /** The integer ids chunk by chunk, ascending, packed (src/chunk.ts); views that a change of the set may spoil. */
  *packed(): Generator<{ number: number; members: Uint8Array }> {
    for (const { number, chunk } of this.#chunks()) yield { number, members: chunk.packed() };
  }

  /** Puts a packed chunk into an empty place of the set. */
  putPacked(number: number, packed: Uint8Array): void {
    this.#settle();
    this.#pageOf(number)[number % PAGE] = Chunk.of(packed);
    this.#chunkCount++;
  }

  #put(id: number): void {
    const number = Math.floor(id / CHUNK_BITS);
    const page = this.#pageOf(number);
    let chunk = page[number % PAGE];
    if (!chunk) {
      page[number % PAGE] = chunk = new Chunk();
      if (++this.#chunkCount === WIDE_FROM) this.#collected = new Uint32Array(COLLECTED);
    }
    chunk.add(id % CHUNK_BITS);
  }

  #settle(): void {
    const ids = this.#collected?.subarray(0, this.#waiting).sort() ?? [];
    this.#waiting = 0;
    for (const id of ids) this.#put(id);
  }

  #pageOf(number: number): (Chunk | undefined)[] {
    return (this.#pages[number >> 8] ??= Array.from({ length: PAGE }, () => undefined));
  }

  *#chunks(): Generator<{ number: number; chunk: Chunk }> {
    this.#settle();
    for (const [high, page] of this.#pages.entries()) {
      for (const [low, chunk] of (page ?? []).entries()) if (chunk) yield { number: high * PAGE + low, chunk };
    }
  }
}
