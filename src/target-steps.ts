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

export interface TargetStep { readonly audience: number; readonly member: number; readonly other: number }
export interface TargetProgram {
  /** The first step, or at once {@link ACCEPT} or {@link REJECT}. */
  readonly entry: number;
  readonly steps: readonly TargetStep[];
}

/** The number of an audience in the list, or undefined when it does not exist. */
export type AudienceSlot = (leaf: { kind: "segment"; name: string } | { kind: "users" }, campaignId: number) => number | undefined;

/**
 * A target that names a segment which does not exist matches nobody, even under a `!`.
 * A campaign's own list that was never loaded is an empty list.
 */
export function compileTarget(text: string, campaignId: number, slot: AudienceSlot): TargetProgram {
  const tree = parseTarget(text);
  const steps: TargetStep[] = [];
  let vanished = false;
  // Built from the back: when a step is made, the places it leads to are known.
  const build = (node: Target, member: number, other: number): number => {
    switch (node.kind) {
      case "all": return member;
      case "not": return build(node.of, other, member);
      case "and": return build(node.left, build(node.right, member, other), other);
      case "or": return build(node.left, member, build(node.right, member, other));
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
  return vanished ? { entry: REJECT, steps: [] } : { entry, steps };
}
