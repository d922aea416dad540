import t from "tap";
import { formatTarget, mentionsUsers, parseTarget, segmentsOf, type Target } from "../dist/target.js";
import { refused } from "./helpers/refused.js";

/** The tree with every parenthesis written out, to compare by eye. */
function show(tree: Target): string {
  switch (tree.kind) {
    case "segment":
      return tree.name;
    case "not":
      return `!${show(tree.of)}`;
    case "and":
      return `(${show(tree.left)} & ${show(tree.right)})`;
    case "or":
      return `(${show(tree.left)} | ${show(tree.right)})`;
    default:
      return tree.kind;
  }
}
const shown = (text: string): string => show(parseTarget(text));
const wrong = (t: Parameters<typeof refused>[0], text: string, message: string): void => refused(t, () => parseTarget(text), "target", message);

t.test("! before & before |, from the left, parentheses first", async (t) => {
  t.equal(shown("all"), "all");
  t.equal(shown("users"), "users");
  t.equal(shown("segment:a | segment:b & segment:c"), "(a | (b & c))");
  t.equal(shown("segment:a & segment:b | segment:c"), "((a & b) | c)");
  t.equal(shown("segment:a | segment:b | segment:c"), "((a | b) | c)");
  t.equal(shown("(segment:a | segment:b) & segment:c"), "((a | b) & c)");
  t.equal(shown("!segment:a & segment:b"), "(!a & b)");
  t.equal(shown("!(segment:a & !users) | all"), "(!(a & !users) | all)");
  t.equal(shown("!!all"), "!!all");
  t.equal(shown("\t segment:a&!users\n"), "(a & !users)", "blanks do not matter");
});

t.test("segment names at their bounds", async (t) => {
  for (const name of ["a", "7", "A.b_c-9", "all", "users", "x".repeat(64)]) t.equal(shown(`segment:${name}`), name);
  const rule = (name: string): void => wrong(t, `segment:${name}`, `"${name}" is not a segment name`);
  rule("x".repeat(65));
  rule(".hidden");
  rule("-a");
  rule("_a");
});

t.test("errors say where", async (t) => {
  wrong(t, "", "ends too early");
  wrong(t, "   ", "ends too early");
  wrong(t, "all &", "ends too early");
  wrong(t, "(all", "ends too early");
  wrong(t, "!", "ends too early");
  wrong(t, "all)", '")" is not expected at character 4');
  wrong(t, "all   users", '"users" is not expected at character 7');
  wrong(t, "& all", '"&" is not expected at character 1');
  wrong(t, "all & | users", '"|" is not expected at character 7');
  wrong(t, "all && users", '"&" is not expected at character 6');
  wrong(t, "()", '")" is not expected at character 2');
  wrong(t, "all & everyone", '"everyone" at character 7 is not understood');
  wrong(t, "usersx", '"usersx" at character 1 is not understood');
  wrong(t, "all & segment: a", '"segment: a" at character 7 is not understood');
  wrong(t, "segment:a:b", '":b" at character 10 is not understood');
  wrong(t, "ALL", '"ALL" at character 1 is not understood');
  wrong(t, "all and users", '"and users" at character 5 is not understood');
});

t.test("size is bounded", async (t) => {
  const names = (n: number): string => Array.from({ length: n }, (_, i) => `segment:s${i}`).join("|");
  t.equal(segmentsOf(parseTarget(names(32))).length, 32);
  wrong(t, names(33), "names more than 32 audiences");
  t.doesNotThrow(() => parseTarget(`${"!".repeat(64)}all`));
  wrong(t, `${"!".repeat(65)}all`, "is nested deeper than 64");
  wrong(t, `${"(".repeat(65)}all${")".repeat(65)}`, "is nested deeper than 64");
  t.doesNotThrow(() => parseTarget(`all${" ".repeat(1_997)}`));
  wrong(t, `all${" ".repeat(1_998)}`, "2001 characters");
});

t.test("what an expression mentions", async (t) => {
  t.same(segmentsOf(parseTarget("segment:b & !(segment:a | segment:b)")), ["b", "a"], "each once");
  t.same(segmentsOf(parseTarget("all | users")), []);
  t.equal(mentionsUsers(parseTarget("all & !users")), true);
  t.equal(mentionsUsers(parseTarget("segment:users")), false);
});

t.test("an expression is written with no more parentheses than it needs", async (t) => {
  for (const text of [
    "all",
    "users",
    "!segment:a",
    "segment:a & !segment:b | users",
    "segment:a & (segment:b | users)",
    "!(segment:a | all) & !!users",
    "(users | all) & !(segment:a & users)",
  ]) {
    t.equal(formatTarget(parseTarget(text)), text);
  }
  t.equal(formatTarget(parseTarget("((segment:a)&((users)|(all)))")), "segment:a & (users | all)");
});
