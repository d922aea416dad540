import t from "tap";
import { didYouMean, nearest } from "../dist/suggest.js";

t.test("what may have been meant", async (t) => {
  const cases: [string, string[], string | undefined][] = [
    ["actve", ["draft", "active"], "active"],
    ["titel", ["body", "title"], "title"],
    ["ACTIVE", ["draft", "active"], "active"],
    ["asia/jakrta", ["Europe/Berlin", "Asia/Jakarta"], "Asia/Jakarta"],
    ["x", ["y", "abc"], "y"],
    ["live", ["draft", "active"], undefined],
    ["nothing", ["draft", "active"], undefined],
    ["", ["a"], undefined],
    ["a", [], undefined],
    ["a".repeat(101), ["a".repeat(100)], undefined],
  ];
  for (const [word, choices, wanted] of cases) t.equal(nearest(word, choices), wanted, word.slice(0, 20));
  t.equal(didYouMean("actve", ["active"]), "did you mean active? ");
  t.equal(didYouMean("live", ["active"]), "");
});
