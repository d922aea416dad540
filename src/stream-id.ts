/** Ids of stream entries, `ms-sequence`: two whole numbers of up to 64 bits, so they are compared as such. */

/** A place in a stream: everything up to and including entry `id` of the stream under the key `stream`. */
export interface StreamMark {
  readonly stream: string;
  readonly id: string;
}

/** Negative when `a` comes before `b`, positive after, 0 when they are the same. A missing sequence is 0. @throws SyntaxError when one is no id */
export function compareStreamIds(a: string, b: string): number {
  const [aMs = "", aSequence = "0"] = a.split("-");
  const [bMs = "", bSequence = "0"] = b.split("-");
  return compare(BigInt(aMs), BigInt(bMs)) || compare(BigInt(aSequence), BigInt(bSequence));
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
