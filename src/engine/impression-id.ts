/** The ids that the engine gives to showings: UUIDv7 (RFC 9562). */
import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";

/** Random bytes are fetched for many ids at a time: one fetch costs as much as ten ids. */
const pool = new Uint8Array(16 * 512);
let used = pool.length;

function random16(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.subarray(used, (used += 16));
}

export function newImpressionId(): string {
  return v7({ random: random16() });
}
