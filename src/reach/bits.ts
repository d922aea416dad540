/** Target expressions over many users at once: the users of a chunk as bits, 32 to a word. */
import type { Target } from "../target.js";

/** Users of a chunk. Most audiences have nobody in most chunks, and a `!` then means everybody: neither takes any memory. */
export type Bits = Uint32Array | "nobody" | "everybody";
export type Leaf = Extract<Target, { kind: "users" | "segment" }>;

/** @param membersOf the users of the chunk who are in an audience */
export function evaluate(target: Target, membersOf: (leaf: Leaf) => Bits): Bits {
  switch (target.kind) {
    case "all":
      return "everybody";
    case "users":
    case "segment":
      return membersOf(target);
    case "not":
      return not(evaluate(target.of, membersOf));
    case "and": {
      const left = evaluate(target.left, membersOf);
      return left === "nobody" ? left : and(left, evaluate(target.right, membersOf));
    }
    case "or": {
      const left = evaluate(target.left, membersOf);
      return left === "everybody" ? left : or(left, evaluate(target.right, membersOf));
    }
  }
}

export function not(bits: Bits): Bits {
  if (typeof bits === "string") return bits === "nobody" ? "everybody" : "nobody";
  return bits.map((word) => ~word);
}

export function and(a: Bits, b: Bits): Bits {
  if (a === "nobody" || b === "everybody") return a;
  if (b === "nobody" || a === "everybody") return b;
  const result = new Uint32Array(a.length);
  for (let i = 0; i < a.length; i++) result[i] = (a[i] ?? 0) & (b[i] ?? 0);
  return result;
}

export function or(a: Bits, b: Bits): Bits {
  if (a === "everybody" || b === "nobody") return a;
  if (b === "everybody" || a === "nobody") return b;
  const result = new Uint32Array(a.length);
  for (let i = 0; i < a.length; i++) result[i] = (a[i] ?? 0) | (b[i] ?? 0);
  return result;
}

/** A target for one user. @param isIn whether the user is in an audience */
export function matches(target: Target, isIn: (leaf: Leaf) => boolean): boolean {
  switch (target.kind) {
    case "all":
      return true;
    case "users":
    case "segment":
      return isIn(target);
    case "not":
      return !matches(target.of, isIn);
    case "and":
      return matches(target.left, isIn) && matches(target.right, isIn);
    case "or":
      return matches(target.left, isIn) || matches(target.right, isIn);
  }
}
