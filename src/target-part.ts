/** What of a target a user fails, told from the step at which the script's walk (src/target-steps.ts) ended. */
import { parseTarget, type Target } from "./target.js";

type Leaf = Extract<Target, { kind: "users" | "segment" }>;

/**
 * `part`: the smallest part of the expression whose failing alone makes all of it fail; null when a segment that it names is
 * gone, because nobody is meant then. `loaded`: false when it names the campaign's user list, and none was loaded.
 */
export interface FailedPart {
  readonly part: Target | null;
  readonly loaded: boolean;
}

/**
 * Puts into words what the script has decided, and decides nothing.
 * @param step the step that decided, counted from 0; null when none was needed
 * @param steps how many steps the target was compiled to
 */
export function failedPart(text: string, step: number | null, steps: number): FailedPart {
  const tree = parseTarget(text);
  const leaves = leavesOf(tree);
  const segments = leaves.filter(({ kind }) => kind === "segment");
  if (steps < segments.length) return { part: null, loaded: true };
  // A list that was never loaded has no steps; the others were made from the back.
  const loaded = steps === leaves.length;
  const asked = loaded ? leaves : segments;
  return { part: partOf(tree, step === null ? undefined : asked[asked.length - 1 - step], loaded), loaded };
}

/** From the top down while both sides have to hold: to the side that fails for everyone, or else that the walk ended in. */
function partOf(tree: Target, last: Leaf | undefined, loaded: boolean): Target {
  let part = tree;
  let wanted = true;
  for (;;) {
    if (part.kind === "not") {
      wanted = !wanted;
      part = part.of;
    } else if ((part.kind === "and" && wanted) || (part.kind === "or" && !wanted)) {
      const { left, right }: { left: Target; right: Target } = part;
      const [first, second] = [left, right].map((side) => forAll(side, loaded) === !wanted);
      part = first ? left : second || last === undefined || !leavesOf(left).includes(last) ? right : left;
    } else return wanted ? part : { kind: "not", of: part };
  }
}

/** What it says of everyone alike, undefined when that depends on the user. */
function forAll(tree: Target, loaded: boolean): boolean | undefined {
  switch (tree.kind) {
    case "all":
      return true;
    case "users":
      return loaded ? undefined : false;
    case "segment":
      return undefined;
    case "not": {
      const of = forAll(tree.of, loaded);
      return of === undefined ? undefined : !of;
    }
    case "and":
    case "or": {
      const sides = [forAll(tree.left, loaded), forAll(tree.right, loaded)];
      const enough = tree.kind === "or";
      return sides.includes(enough) ? enough : sides.includes(undefined) ? undefined : !enough;
    }
  }
}

/** The audiences that an expression names, from left to right. */
function leavesOf(tree: Target): Leaf[] {
  switch (tree.kind) {
    case "all":
      return [];
    case "users":
    case "segment":
      return [tree];
    case "not":
      return leavesOf(tree.of);
    case "and":
    case "or":
      return [...leavesOf(tree.left), ...leavesOf(tree.right)];
  }
}
