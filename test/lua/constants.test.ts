/** Constants of Lua modules: put in where they are names, and nowhere else. */
import t from "tap";
import { putConstants } from "../../dist/redis/lua-constants.js";

const none = new Map();

t.test("a constant is put in where its name stands, and its line is left blank", async (t) => {
  const { text, constants } = putConstants("local A, LONG_NAME = 5, 'x'\nreturn A + A2, LONG_NAME, bA, { AA = A }", none);
  t.equal(text, "\nreturn 5 + A2, 'x', bA, { AA = 5 }");
  t.same(
    [...constants],
    [
      ["A", "5"],
      ["LONG_NAME", "'x'"],
    ],
  );
});

t.test("not in strings, in comments, or as a field of something else", async (t) => {
  const text = "return 'SET A' .. x.A -- A stays\n";
  t.equal(putConstants(`local A, SET = 1, 2\n${text}`, none).text, `\n${text}`);
});

t.test("one that is worked out of another is one", async (t) => {
  t.equal(putConstants("local DAY = 86400\nlocal WEEK, ROUND = 7 * DAY, 2 ^ 24\nreturn -WEEK % ROUND", none).text, "\n\nreturn -(7 * 86400) % (2 ^ 24)");
});

t.test("those of another module have its name in front", async (t) => {
  const others = new Map([["caps", new Map([["DAY", "2"]])]]);
  t.equal(putConstants("return caps.DAY, other.DAY, DAY, caps.WEEK", others).text, "return 2, other.DAY, DAY, caps.WEEK");
});

t.test("what is no number or string stays a variable", async (t) => {
  for (const line of ["local BLANK = { blank = true }", "local A, B = 1, late and 2 or 3", "local lower = 5", "  local INNER = 5"])
    t.equal(putConstants(`${line}\nreturn BLANK, A, lower, INNER`, none).text, `${line}\nreturn BLANK, A, lower, INNER`, line);
});
