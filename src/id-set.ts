/** A set of user ids held in memory: integer ids on pages, string ids as they are. */
import { idsIn } from "./chunk.js";
import { IdPage, PAGE_CHUNKS } from "./id-page.js";
import { integerId } from "./user-id.js";

/** The bits of an integer id that tell its place on its page. */
const PAGE_BITS = 24,
  PAGE_MASK = 2 ** PAGE_BITS - 1;

export class IdSet {
  readonly strings = new Set<string>();
  readonly #pages: (IdPage | undefined)[] = Array.from({ length: 2 ** (32 - PAGE_BITS) }, () => undefined);

  /** How many integer ids are in the set. Counts them: not for loops. */
  get integers(): number {
    return this.#pages.reduce((sum, page) => sum + (page?.size ?? 0), 0);
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
    (this.#pages[id >>> PAGE_BITS] ??= new IdPage()).add(id & PAGE_MASK);
  }

  has(id: string): boolean {
    const integer = integerId(id);
    if (integer === undefined) return this.strings.has(id);
    return this.#pages[integer >>> PAGE_BITS]?.has(integer & PAGE_MASK) ?? false;
  }

  /** Integer ids in ascending order. */
  *integerIds(): Generator<number> {
    for (const { number, members } of this.packed()) yield* idsIn(number, members);
  }

  /** The integer ids chunk by chunk, ascending, packed (src/chunk.ts); views that a change of the set may spoil. */
  *packed(): Generator<{ number: number; members: Uint8Array }> {
    for (const [high, page] of this.#pages.entries()) {
      if (page) for (const { number, members } of page.packed()) yield { number: high * PAGE_CHUNKS + number, members };
    }
  }

  /** Puts a packed chunk into an empty place of the set. */
  putPacked(number: number, packed: Uint8Array): void {
    (this.#pages[number >>> 8] ??= new IdPage()).putPacked(number % PAGE_CHUNKS, packed);
  }
}
