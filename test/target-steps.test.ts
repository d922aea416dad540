import t from "tap";
import { parseTarget, type Target } from "../dist/target.js";
import { ACCEPT, type AudienceSlot, compileTarget, REJECT, type TargetProgram } from "../dist/target-steps.js";
import { random } from "./helpers/refused.js";

const NAMES = ["users", "segment:s1", "segment:s2", "segment:s3", "segment:s4"];
const slots: AudienceSlot = (leaf) => {
  const found = NAMES.indexOf(leaf.kind === "users" ? "users" : `segment:${leaf.name}`);
  return found < 0 ? undefined : found;
};

/** Walks the steps as the script does; `member` tells whether the user is in an audience. Counts how often each is asked. */
function walk(program: TargetProgram, member: (audience: number) => boolean): { accepted: boolean; steps: number } {
  let at = program.entry;
  let steps = 0;
  while (at !== ACCEPT && at !== REJECT) {
    const step = program.steps[at];
    if (!step) throw new Error(`there is no step ${at}`);
    if (++steps > program.steps.length) throw new Error("the walk goes in circles");
    at = member(step.audience) ? step.member : step.other;
  }
  return { accepted: at === ACCEPT, steps };
}

function evaluate(tree: Target, member: (audience: number) => boolean): boolean {
  switch (tree.kind) {
    case "all":
      return true;
    case "not":
      return !evaluate(tree.of, member);
    case "and":
      return evaluate(tree.left, member) && evaluate(tree.right, member);
    case "or":
      return evaluate(tree.left, member) || evaluate(tree.right, member);
    default:
      return member(slots(tree, 1) ?? -1);
  }
}

const accepts = (text: string, members: readonly string[] = []): boolean =>
  walk(compileTarget(text, 1, slots), (audience) => members.includes(NAMES[audience] ?? "")).accepted;

t.test("small expressions", async (t) => {
  t.same(compileTarget("all", 1, slots), { entry: ACCEPT, steps: [], triggers: undefined });
  t.same(compileTarget("!all", 1, slots), { entry: REJECT, steps: [], triggers: [] });
  t.equal(accepts("users", ["users"]), true);
  t.equal(accepts("users"), false);
  t.equal(accepts("segment:s1 & !segment:s2", ["segment:s1"]), true);
  t.equal(accepts("segment:s1 & !segment:s2", ["segment:s1", "segment:s2"]), false);
});

t.test("the own list is asked for by the campaign's id", async (t) => {
  const asked: number[] = [];
  compileTarget("users", 42, (_, campaignId) => (asked.push(campaignId), 0));
  t.same([...new Set(asked)], [42]);
});

t.test("a vanished segment matches nobody, even under ! and beside all", async (t) => {
  for (const text of ["segment:gone", "!segment:gone", "all | segment:gone", "all & !segment:gone", "!(users & segment:gone)", "users | !!segment:gone"]) {
    t.same(compileTarget(text, 1, slots), { entry: REJECT, steps: [], triggers: [] }, text);
  }
});

t.test("a list that was never loaded is an empty list", async (t) => {
  const none: AudienceSlot = (leaf) => (leaf.kind === "users" ? undefined : 1);
  t.same(compileTarget("users", 1, none), { entry: REJECT, steps: [], triggers: [] });
  t.same(compileTarget("!users", 1, none), { entry: ACCEPT, steps: [], triggers: undefined });
});

t.test("triggers: everyone the target means is in one of them", async (t) => {
  const triggers = (text: string, mayTrigger?: (audience: number) => boolean): readonly string[] | undefined =>
    compileTarget(text, 1, slots, mayTrigger).triggers?.map((audience) => NAMES[audience] ?? "");
  t.same(triggers("all"), undefined);
  t.same(triggers("!all"), []);
  t.same(triggers("users"), ["users"]);
  t.same(triggers("!users"), undefined);
  t.same(triggers("segment:s1 | segment:s2"), ["segment:s1", "segment:s2"]);
  t.same(triggers("(segment:s1 | segment:s2) & segment:s3 & !segment:s4"), ["segment:s3"], "the side with fewer");
  t.same(triggers("all & segment:s1"), ["segment:s1"]);
  t.same(triggers("segment:s1 | !segment:s2"), undefined);
  t.same(triggers("!(!segment:s1 | segment:s2)"), ["segment:s1"]);
  t.same(triggers("!(segment:s1 & segment:s2)"), undefined);
  t.same(triggers("segment:s1 & !segment:s1 & !all"), []);
  t.same(
    triggers("segment:s1 & segment:s2", (audience) => audience !== 1),
    ["segment:s2"],
    "an audience that cannot be looked up triggers nothing",
  );
  t.same(
    triggers("segment:s1 | segment:s2", (audience) => audience !== 1),
    undefined,
  );
});

t.test("walking the steps equals evaluating the tree", async (t) => {
  const below = random(t);
  const expression = (depth: number): string => {
    const choice = below(depth <= 0 ? 2 : 7);
    if (choice === 0) return below(6) === 0 ? "all" : "users";
    if (choice === 1) return NAMES[1 + below(4)] ?? "all";
    if (choice === 2) return `!${expression(depth - 1)}`;
    if (choice === 3) return `(${expression(depth - 1)})`;
    return `${expression(depth - 1)} ${below(2) === 0 ? "&" : "|"} ${expression(depth - 1)}`;
  };
  let walked = 0;
  let accepted = 0;
  while (walked < 20_000) {
    const text = expression(5);
    // Longer ones are refused, which is another test's.
    if ((text.match(/users|segment/g) ?? []).length > 32) continue;
    const tree = parseTarget(text);
    const program = compileTarget(text, 1, slots);
    for (let members = 0; members < 32; members += 1 + below(6)) {
      const member = (audience: number): boolean => (members & (1 << audience)) !== 0;
      const wanted = evaluate(tree, member);
      const got = walk(program, member).accepted;
      if (got !== wanted) {
        t.equal(got, wanted, `${text} for a member of ${NAMES.filter((_, n) => member(n)).join(", ")}`);
        return;
      }
      walked++;
      if (got) accepted++;
    }
  }
  t.ok(accepted > walked / 10 && accepted < (walked * 9) / 10, `of ${walked} walks, ${accepted} accepted: both answers are tried`);
});
