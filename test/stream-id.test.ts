import t from "tap";
import { compareStreamIds } from "../dist/stream-id.js";

t.test("ids are ordered as numbers, exactly", async (t) => {
  const ordered = [
    "0-0",
    "0-1",
    "9-10",
    "10-9",
    "1780000000000-2",
    "1780000000000-10",
    "9007199254740992-0",
    "9007199254740993-0",
    "18446744073709551615-18446744073709551614",
    "18446744073709551615-18446744073709551615",
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) t.equal(Math.sign(compareStreamIds(a, b)), Math.sign(i - j), `${a} and ${b}`);
  }
  t.equal(compareStreamIds("5", "5-0"), 0, "a missing sequence is 0");
  t.throws(() => compareStreamIds("$", "0-0"), SyntaxError);
});
