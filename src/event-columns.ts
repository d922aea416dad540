/**
 * Events of one campaign in columns, as reports read them: when, who, what. A number stands for the user, so that ten million
 * events are counted by user in about a second; to read that many rows of the store alone takes ten.
 */
import type { EventType } from "./event.js";
import { integerId } from "./user-id.js";

/** What an event is to a report: an impression that came over a cap is another thing than one that was counted. */
export const KIND = { impression: 0, click: 1, dismiss: 2, over_cap: 3 } as const;
export const KINDS = 4;
/** Set in a kind whose user has a string id: `user` is then the number that was given to it, otherwise the integer id itself. */
export const NAMED = 4;

export interface EventColumns {
  /** Epoch ms. */
  readonly at: Float64Array;
  readonly user: Uint32Array;
  readonly kind: Uint8Array;
}

const BYTES = 13;

/** Columns on their way. */
export class ColumnsBuilder {
  readonly #at: number[] = [];
  readonly #user: number[] = [];
  readonly #kind: number[] = [];
  /** Of the events so far, epoch ms. */
  earliest = Infinity;
  latest = -Infinity;

  /** @param numberOf the number of a string id, below 2^32; the same for the same id */
  constructor(private readonly numberOf: (userId: string) => number) {}

  add(type: EventType, userId: string, at: number, overCap: boolean): void {
    const integer = integerId(userId);
    const kind = overCap && type === "impression" ? KIND.over_cap : KIND[type];
    this.#at.push(at);
    this.#user.push(integer ?? this.numberOf(userId));
    this.#kind.push(integer === undefined ? kind | NAMED : kind);
    if (at < this.earliest) this.earliest = at;
    if (at > this.latest) this.latest = at;
  }

  columns(): EventColumns {
    return { at: new Float64Array(this.#at), user: new Uint32Array(this.#user), kind: new Uint8Array(this.#kind) };
  }
}

/** The columns behind each other; little-endian, as every machine that Node runs on. */
export function columnsToBytes({ at, user, kind }: EventColumns): Buffer {
  return Buffer.concat([at, user, kind].map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength)));
}

export function columnsFromBytes(bytes: Uint8Array): EventColumns {
  const length = bytes.byteLength / BYTES;
  // A column begins at a multiple of its width; a piece of a larger buffer may not.
  const { buffer, byteOffset } = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  return {
    at: new Float64Array(buffer, byteOffset, length),
    user: new Uint32Array(buffer, byteOffset + 8 * length, length),
    kind: new Uint8Array(buffer, byteOffset + 12 * length, length),
  };
}
