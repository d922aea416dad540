/** The flags of a load test that have a form of their own: --mix, --users, --assert. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { parseAssertions } from "../../dist/load-test/assertions.js";
import { parseMix } from "../../dist/load-test/mix.js";
import { openUsers, parseUsers } from "../../dist/load-test/users.js";
import { refused } from "../helpers/refused.js";

t.test("--mix", async (t) => {
  t.same(parseMix("10:3"), { gets: 10, posts: 3 });
  t.same(parseMix("1:0"), { gets: 1, posts: 0 });
  t.same(parseMix("1000:1000"), { gets: 1_000, posts: 1_000 });
  for (const text of ["", "10", "10:", ":3", "10/3", "1.5:1", "-1:3", "1001:1", "1:1001", "10:3:1", " 1:1"])
    refused(t, () => parseMix(text), "--mix", /is not a ratio of GETs to POSTs/);
  refused(t, () => parseMix("0:1"), "--mix", /has no GETs/);
});

t.test("--users as a range", async (t) => {
  t.same(parseUsers("1-1000000"), { kind: "range", first: 1, last: 1_000_000 });
  const users = openUsers(parseUsers("7-9"));
  t.same([users.count, users.at(0), users.at(2)], [3, "7", "9"]);
  t.equal(openUsers(parseUsers("0-4294967295")).count, 2 ** 32);
  t.equal(openUsers(parseUsers("5-5")).count, 1);
  refused(t, () => parseUsers("9-7"), "--users", /ends before it begins/);
  refused(t, () => parseUsers("1-4294967296"), "--users", /goes beyond the integer ids/);
});

t.test("--users as a file", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "popup-users-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = (text: string): string => {
    const path = join(dir, "users.txt");
    writeFileSync(path, text);
    return path;
  };
  const idsOf = (text: string): string[] => {
    const users = openUsers(parseUsers(file(text)));
    return Array.from({ length: users.count }, (_, index) => users.at(index));
  };
  t.same(idsOf("user_id\n1001\ncust-7f3a\n"), ["1001", "cust-7f3a"], "a header");
  t.same(idsOf("\uFEFFuser_id\r\n007\r\n\r\n7\r\n"), ["007", "7"], "a mark, Windows' line ends, an empty line");
  t.same(idsOf("a@b.example:1"), ["a@b.example:1"], "no header, no last line end");
  t.same(idsOf("1\nuser_id"), ["1", "user_id"], "only a first line is a header");
  refused(t, () => idsOf("1\n2\nid,name\n"), "--users", /line 3: "id,name" is not a user id/, "bad_file");
  refused(t, () => idsOf("user_id\n"), "--users", /has no user ids/, "bad_file");
  refused(t, () => openUsers(parseUsers(join(dir, "none.txt"))), "--users", /is neither a range nor a file/);
  refused(t, () => openUsers(parseUsers(dir)), "--users", /cannot be read/);
});

t.test("--assert", async (t) => {
  const [first, second, third, fourth] = parseAssertions("p99<50ms, errors=0,get.p999 <= 0.2s,rps>=1000.5");
  t.same(first, { text: "p99<50ms", of: "all", figure: "p99", operator: "<", bound: 50 });
  t.same(second, { text: "errors=0", of: "all", figure: "errors", operator: "=", bound: 0 });
  t.match(third, { of: "get", figure: "p999", operator: "<=", bound: 200 });
  t.match(fourth, { of: "all", figure: "rps", operator: ">=", bound: 1_000.5 });
  t.match(parseAssertions("max>1,p99.9<5,post.p50<5ms,degraded<10,requests>0"), [
    { figure: "max", bound: 1 },
    { figure: "p99.9" },
    { of: "post" },
    { figure: "degraded" },
    { figure: "requests" },
  ]);
  const cases: [string, RegExp][] = [
    ["", /"" is not a comparison/],
    ["p99", /"p99" is not a comparison/],
    ["p99<", /"p99<" is not/],
    ["p99<fast", /"p99<fast" is not/],
    ["p99<<50", /"p99<<50" is not/],
    ["p99==50", /"p99==50" is not/],
    ["p99<50ms,", /"" is not a comparison/],
    ["errors=0;p99<5", /is not a comparison/],
    ["p99<-1", /is not a comparison/],
    ["put.p99<5", /names no figure: put\.p99/],
    ["p95<50ms", /"p95<50ms" names no figure: p95/],
    ["errors=0,p42>1", /"p42>1" names no figure/],
    ["p99<50us", /unknown unit: us/],
    ["errors=0ms", /has a unit, but errors is a number/],
    ["post.degraded=0", /only decisions are degraded/],
  ];
  for (const [text, message] of cases) refused(t, () => parseAssertions(text), "--assert", message);
});
