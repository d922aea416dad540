/** How many users a target means, and how much audiences have in common. */
import type { AudienceRef } from "../audience.js";
import { countWords } from "../chunk.js";
import type { Store } from "../store/store.js";
import type { Target } from "../target.js";
import { and, type Bits, evaluate, matches, not } from "./bits.js";
import { type Aim, Population, refOf, refsOf } from "./population.js";

/**
 * Users whom a target means. One that means customers who are in none of its audiences (`all`, `!segment:staff`) means everybody
 * but some: how many there are is nowhere known, so those who are left out are counted.
 */
export interface Reach {
  readonly users: number | null;
  readonly everyone_but: number | null;
}

/** @throws nothing: audiences that do not exist are empty */
export function reachOf(store: Store, aim: Aim): Reach {
  if (aim.target.kind === "users" || aim.target.kind === "segment") {
    const audience = store.audiences.find(refOf(aim.target, aim.campaignId));
    return { users: (audience?.integers ?? 0) + (audience?.strings ?? 0), everyone_but: null };
  }
  const population = new Population(store, refsOf(aim));
  const open = meansOthers(aim.target);
  // Of an open target, those whom it does not mean.
  const counted: Target = open ? { kind: "not", of: aim.target } : aim.target;
  let users = 0;
  for (const { membersOf } of population.chunks()) users += countBits(evaluate(counted, (leaf) => membersOf(refOf(leaf, aim.campaignId))));
  for (const isIn of population.strings()) if (matches(counted, (leaf) => isIn(refOf(leaf, aim.campaignId)))) users++;
  return open ? { users: null, everyone_but: users } : { users, everyone_but: null };
}

/** How many users each two of the audiences have in common; of one with itself, its size. Rows and columns in the order given. */
export function overlapOf(store: Store, refs: readonly AudienceRef[]): number[][] {
  const population = new Population(store, refs);
  const common = refs.map(() => refs.map(() => 0));
  const add = (a: number, b: number, users: number): void => {
    for (const [row, column] of a === b
      ? [[a, b]]
      : [
          [a, b],
          [b, a],
        ])
      (common[row as number] as number[])[column as number] = (common[row as number]?.[column as number] ?? 0) + users;
  };
  for (const { membersOf } of population.chunks()) {
    const bits = refs.map(membersOf);
    for (const [a, first] of bits.entries()) for (let b = a; b < bits.length; b++) add(a, b, countBits(and(first, bits[b] ?? "nobody")));
  }
  for (const isIn of population.strings()) {
    const there = refs.flatMap((ref, n) => (isIn(ref) ? [n] : []));
    for (const [n, a] of there.entries()) for (const b of there.slice(n)) add(a, b, 1);
  }
  return common;
}

/** Users of a chunk; "everybody" is what an evaluation over a chunk's own users cannot come to. */
export function countBits(bits: Bits): number {
  if (typeof bits !== "string") return countWords(bits);
  if (bits === "everybody") throw new RangeError("users without end");
  return 0;
}

/** The target for users in none of the audiences. */
export const meansOthers = (target: Target): boolean => matches(target, () => false);
export const without = (bits: Bits, gone: Bits): Bits => and(bits, not(gone));
