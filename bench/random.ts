/** Random numbers and bits that a seed repeats: the key stream of AES-128 in counter mode. */
import { type Cipher, createCipheriv } from "node:crypto";

/** Whole numbers are drawn from blocks of this many bytes: a call of the cipher for each would cost more than the request it is for. */
const BLOCK_BYTES = 65_536;

export class SeededRandom {
  readonly #cipher: Cipher;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @param seed any 32-bit integer */
  constructor(seed: number) {
    const key = Buffer.alloc(16);
    key.writeUInt32BE(seed >>> 0);
    this.#cipher = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  }

  bytes(length: number): Buffer {
    return this.#cipher.update(Buffer.alloc(length));
  }

  /** A whole number, 0 ≤ x < limit; limit at most 2³². */
  below(limit: number): number {
    if (this.#at === this.#block.length) {
      this.#block = this.bytes(BLOCK_BYTES);
      this.#at = 0;
    }
    const random = this.#block.readUInt32LE(this.#at);
    this.#at += 4;
    return Math.floor((random / 4_294_967_296) * limit);
  }

  /** The same values in a random order. */
  shuffled<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
    }
    return shuffled;
  }

  /**
   * Bytes of which each bit is 1 with the probability `parts`/256.
   *
   * The binary digits of the probability, lowest first: a 1 ORs random bits in (p → ½ + p/2), a 0 ANDs them (p → p/2).
   */
  bits(length: number, parts: number): Uint8Array {
    const result = new Uint8Array(length);
    for (let digit = 0; digit < 8; digit++) {
      const random = this.bytes(length);
      const one = (parts >> digit) & 1;
      for (let i = 0; i < length; i++) result[i] = one ? (result[i] ?? 0) | (random[i] ?? 0) : (result[i] ?? 0) & (random[i] ?? 0);
    }
    return result;
  }
}
