import t from "tap";
import { integerId, isUserId, parseUserId } from "../dist/user-id.js";
import { refused } from "./helpers/refused.js";

t.test("length and characters", async (t) => {
  for (const id of ["a", "x".repeat(64), "A-Z.a_z:0@9", "user@bank.example", "-", ".", "0", "9".repeat(64)]) {
    t.ok(isUserId(id), id);
    t.equal(parseUserId(id), id);
  }
  for (const id of ["x".repeat(65), "9".repeat(65), "has space", " 7", "7 ", "7\n", "a/b", "a+b", "ü", "😀", "a\u0000", "a,b", "{p0}", 'a"b']) {
    t.notOk(isUserId(id), JSON.stringify(id));
    refused(t, () => parseUserId(id), "user_id", "has a wrong length or a character");
  }
  for (const nothing of [undefined, null, ""]) refused(t, () => parseUserId(nothing), "user_id", "is missing");
  for (const other of [true, {}, [], ["7"]]) refused(t, () => parseUserId(other), "user_id", "is neither a string nor a number");
});

t.test("an integer id is the canonical decimal of 0 to 4294967295", async (t) => {
  t.equal(integerId("0"), 0);
  t.equal(integerId("7"), 7);
  t.equal(integerId("4294967295"), 4_294_967_295);
  for (const id of ["4294967296", "9999999999", "10000000000", "007", "00", "-0", "-1", "1.0", "1e3", "0x7", "7a", "٧"]) t.equal(integerId(id), undefined, id);
});

t.test("a JSON number is its decimal", async (t) => {
  t.equal(parseUserId(7), "7");
  t.equal(parseUserId(0), "0");
  t.equal(parseUserId(-0), "0");
  t.equal(parseUserId(4_294_967_296), "4294967296", "larger ones are string ids");
  t.equal(parseUserId(Number.MAX_SAFE_INTEGER), "9007199254740991");
  for (const n of [-1, 1.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN, Number.POSITIVE_INFINITY])
    refused(t, () => parseUserId(n), "user_id", "is a number that is not a whole one");
});
