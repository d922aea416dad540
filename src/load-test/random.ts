/** Random numbers that a seed repeats, so that a load test can be run again with the same users. */

/** A whole number of 0 to `below` - 1; `below` is at most 2^32. */
export type Random = (below: number) => number;

/**
 * splitmix32 with the constants of https://github.com/skeeto/hash-prospector: a counter whose every value is
 * mixed well. Neighbouring seeds give unrelated sequences, so the processes of one load can take seed, seed + 1, …
 * @param seed any whole number; its low 32 bits count
 */
export function seeded(seed: number): Random {
  let state = Math.imul(seed, 0x85eb_ca6b) >>> 0;
  return (below) => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return Math.floor((((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296) * below);
  };
}
