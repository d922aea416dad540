/**
 * A target expression as steps that a script walks: each asks about one audience and says where to
 * go on for a member and for anyone else. Every operator becomes jumps, so that no audience is
 * asked about twice on a way and none that cannot matter any more
 * (short-circuit code by backpatching; Aho, Sethi, Ullman, "Compilers", §8.6).
 */
import { parseTarget, type Target } from "./target.js";

/** Where a walk ends. Steps are fewer than either. */
export const ACCEPT = 255;
export const REJECT = 254;

export interface TargetStep {
  readonly audience: number;
  readonly member: number;
  readonly other: number;
}
export interface TargetProgram {
  /** The first step, or at once {@link ACCEPT} or {@link REJECT}. */
  readonly entry: number;
  readonly steps: readonly TargetStep[];
  /**
   * Audiences (their numbers in the list) of which a user is in at least one, whoever the target means;
   * undefined when it may mean a user who is in none. It narrows the search, and decides nothing.
   */
  readonly triggers: readonly number[] | undefined;
}

/** The number of an audience in the list, or undefined when it does not exist. */
export type AudienceSlot = (leaf: { kind: "segment"; name: string } | { kind: "users" }, campaignId: number) => number | undefined;

/**
 * A target that names a segment which does not exist matches nobody, even under a `!`.
 * A campaign's own list that was never loaded is an empty list.
 * @param mayTrigger whether a membership can be looked up from the user's side; an audience where it cannot triggers nothing
 */
export function compileTarget(text: string, campaignId: number, slot: AudienceSlot, mayTrigger: (audience: number) => boolean = () => true): TargetProgram {
  const tree = parseTarget(text);
  const steps: TargetStep[] = [];
  let vanished = false;
  // Built from the back: when a step is made, the places it leads to are known.
  const build = (node: Target, member: number, other: number): number => {
    switch (node.kind) {
      case "all":
        return member;
      case "not":
        return build(node.of, other, member);
      case "and":
        return build(node.left, build(node.right, member, other), other);
      case "or":
        return build(node.left, member, build(node.right, member, other));
      case "users":
      case "segment": {
        const audience = slot(node, campaignId);
        if (audience === undefined) {
          vanished ||= node.kind === "segment";
          return other;
        }
        steps.push({ audience, member, other });
        return steps.length - 1;
      }
    }
  };
  const entry = build(tree, ACCEPT, REJECT);
  if (vanished) return { entry: REJECT, steps: [], triggers: [] };
  return { entry, steps, triggers: triggersOf(tree, true, (leaf) => slot(leaf, campaignId), mayTrigger) };
}

/**
 * The audiences of which a user must be in one for `node` to come out as `wanted`; undefined when
 * a user in none of them may do, empty when nobody does.
 */
function triggersOf(
  node: Target,
  wanted: boolean,
  slot: (leaf: Parameters<AudienceSlot>[0]) => number | undefined,
  mayTrigger: (audience: number) => boolean,
): readonly number[] | undefined {
  switch (node.kind) {
    case "all":
      return wanted ? undefined : [];
    case "not":
      return triggersOf(node.of, !wanted, slot, mayTrigger);
    case "users":
    case "segment": {
      if (!wanted) return undefined;
      const audience = slot(node);
      if (audience === undefined) return [];
      return mayTrigger(audience) ? [audience] : undefined;
    }
    case "and":
    case "or": {
      const left = triggersOf(node.left, wanted, slot, mayTrigger);
      const right = triggersOf(node.right, wanted, slot, mayTrigger);
      // Both sides have to hold: either one's triggers will do, and fewer mean fewer users to look at.
      if ((node.kind === "and") === wanted) return left === undefined || (right !== undefined && right.length < left.length) ? right : left;
      return left === undefined || right === undefined ? undefined : [...new Set([...left, ...right])];
    }
  }
}
