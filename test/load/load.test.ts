import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import t from "tap";
import type { AudienceRef } from "../../dist/audience.js";
import { importSegments, type LoadOptions, type LoadResult, loadAudience } from "../../dist/load/load.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { type TestStore, testStore } from "../helpers/store.js";

const SEGMENT: AudienceRef = { kind: "segment", name: "s" };
const FIXTURES = join(PACKAGE_ROOT, "fixtures");

interface Loader extends TestStore {
  /** Line and reason, as the file of rejected rows has them. */
  rejections(): [number, string][];
  load(text: string, options?: Partial<LoadOptions>): Promise<LoadResult>;
  import(text: string, by: string, options?: Partial<LoadOptions>): Promise<LoadResult[]>;
  members(name?: string): string[];
}

function loader(t: Parameters<typeof testStore>[0]): Loader {
  const at = testStore(t);
  const file = join(at.dir, "ids.csv");
  const options = (more: Partial<LoadOptions>): LoadOptions => ({ column: "user_id", mode: "replace", encoding: "auto", maxRejects: { percent: 1 }, ...more });
  return Object.assign(at, {
    rejections: () => {
      const rejects = `${file}.rejects.csv`;
      return existsSync(rejects)
        ? (parse(readFileSync(rejects), { columns: true }) as { line: string; reason: string }[]).map(({ line, reason }): [number, string] => [
            Number(line),
            reason,
          ])
        : [];
    },
    load: (text: string, more: Partial<LoadOptions> = {}) => (writeFileSync(file, text), loadAudience(at.store, SEGMENT, file, options(more), "segment.load")),
    import: (text: string, by: string, more: Partial<LoadOptions> = {}) => (
      writeFileSync(file, text), importSegments(at.store, file, by, options(more)).then(({ results }) => [...results])
    ),
    members: (name = "s") => {
      const set = at.store.audiences.idsOf({ kind: "segment", name });
      return [...[...set.integerIds()].map(String), ...[...set.strings].sort()];
    },
  });
}
const csv = (...ids: string[]): string => ["user_id", ...ids, ""].join("\n");

t.test("replace, add and remove count what they change", async (t) => {
  const at = loader(t);
  t.match(await at.load(csv("1", "2", "3", "3", "a")), {
    name: "s",
    version: 1,
    rows: 5,
    added: 4,
    removed: 0,
    unchanged: 1,
    rejected: 0,
    rejects_file: null,
    total: 4,
    seconds: Number,
  });
  t.match(
    await at.load(csv("2", "3", "4", "b")),
    { version: 2, rows: 4, added: 2, removed: 2, unchanged: 2, total: 4 },
    "2 and 3 stay; 4 and b come; 1 and a go",
  );
  t.same(at.members(), ["2", "3", "4", "b"]);
  t.match(await at.load(csv("4", "5", "5", "c"), { mode: "add" }), { rows: 4, added: 2, removed: 0, total: 6 });
  t.same(at.members(), ["2", "3", "4", "5", "b", "c"]);
  t.match(await at.load(csv("5", "5", "c", "nobody"), { mode: "remove" }), { rows: 4, added: 0, removed: 2, unchanged: 2, total: 4 });
  t.same(at.members(), ["2", "3", "4", "b"]);
  t.match(await at.load(csv("2", "3", "4", "b", "x"), { mode: "remove" }), { rows: 5, removed: 4, unchanged: 1, total: 0 }, "an audience may become empty");
  t.match(at.store.audit.all(), [
    { after: { ids: 4 } },
    { after: { ids: 4 } },
    { after: { ids: 6 } },
    { after: { ids: 4 } },
    { before: { ids: 4 }, after: { ids: 0 } },
  ]);
});

t.test("what is not there is not removed from, and a campaign that went away gets no list", async (t) => {
  const at = loader(t);
  await t.rejects(at.load(csv("1"), { mode: "remove" }), { code: "not_found", message: 'there is no segment "s"' });
  const options: LoadOptions = { column: "user_id", mode: "add", encoding: "auto", maxRejects: { rows: 0 } };
  await t.rejects(loadAudience(at.store, { kind: "users", campaignId: 7 }, join(FIXTURES, "users-cashback.csv"), options, "x"), {
    code: "not_found",
    message: "campaign 7 does not exist",
  });
  t.same(at.store.audiences.list(), []);
});

t.test("integer and string ids in one list; 007 and 7 are different users", async (t) => {
  const at = loader(t);
  t.match(await at.load(csv("7", "007", "4294967295", "4294967296", "u@bank.example")), { added: 5, total: 5 });
  t.match(at.store.audiences.find(SEGMENT), { integers: 2, strings: 3 });
  t.match(await at.load(csv("7"), { mode: "remove" }), { removed: 1, total: 4 });
  t.same(at.members(), ["4294967295", "007", "4294967296", "u@bank.example"]);
});

t.test("the encoding is chosen for the list as it becomes, or as asked", async (t) => {
  const at = loader(t);
  const many = csv(...Array.from({ length: 2_000 }, (_, n) => String(n)));
  t.match(await at.load(many), { encoding: "bitmap" });
  t.match(await at.load(csv("4294967295"), { mode: "add" }), { encoding: "set", total: 2_001 }, "one far id makes the bitmap too large");
  t.match(await at.load(many, { encoding: "set" }), { encoding: "set" });
  t.match(await at.load(csv("7"), { encoding: "bitmap" }), { encoding: "bitmap" });
  await t.rejects(at.load(csv("4294967295"), { mode: "add", encoding: "bitmap" }), {
    code: "invalid",
    field: "encoding",
    message: "encoding: a bitmap of these ids would take 512 MiB for 2 users",
  });
  t.match(at.store.audiences.find(SEGMENT), { encoding: "bitmap" });
});

t.test("bad rows: within the limit they are left out, beyond it the load is refused", async (t) => {
  const at = loader(t);
  const bad = "has space";
  const hundred = Array.from({ length: 99 }, (_, n) => String(n));
  t.match(await at.load(csv(...hundred, bad)), { rows: 100, rejected: 1, total: 99 }, "1 of 100 is 1%");
  t.same(at.rejections(), [[101, "not a user id (1 to 64 characters of A-Z a-z 0-9 . _ : @ -)"]]);
  t.match(await at.load(csv("1", bad, bad), { maxRejects: { rows: 2 } }), { rows: 3, rejected: 2, total: 1 });
  const before = [at.members(), at.store.audit.all(), at.store.audiences.list()];
  const refused = (text: string, options: Partial<LoadOptions>, message: string): Promise<unknown> =>
    t.rejects(at.load(text, options), {
      code: "bad_file",
      message,
      hint: /^nothing was loaded; all of them are in .*ids\.csv\.rejects\.csv: mend the file, or allow more with --max-rejects$/,
    });
  const reason = "not a user id (1 to 64 characters of A-Z a-z 0-9 . _ : @ -)";
  await refused(csv(...hundred.slice(1), bad), {}, `ids.csv: 1 of 99 rows are wrong, the first in line 100: ${reason}`);
  await refused(csv("1", bad, bad, bad), { maxRejects: { rows: 2 } }, `ids.csv: 3 of 4 rows are wrong, the first in line 3: ${reason}`);
  await refused(csv('""'), { maxRejects: { rows: 0 } }, "ids.csv: 1 of 1 rows are wrong, the first in line 2: no user id");
  t.same([at.members(), at.store.audit.all(), at.store.audiences.list()], before);
});

t.test("a refused load leaves the audience and the audit log as they were, in every mode", async (t) => {
  const at = loader(t);
  await at.load(csv("1", "2", "a"));
  const before = [at.members(), at.store.audit.all(), at.store.audiences.list()];
  const unclosed = readFileSync(join(FIXTURES, "users-unclosed-quote.csv"), "utf8");
  for (const mode of ["replace", "add", "remove"] as const) {
    await t.rejects(at.load(unclosed, { mode }), {
      code: "bad_file",
      message: /^ids\.csv: 1 of 3 rows are wrong, the first in line 3: a quote that opens in this line is not closed/,
      hint: /nothing was loaded/,
    });
    await t.rejects(at.load("user_id\n", { mode }), { code: "bad_file", message: "ids.csv has a header and no row" });
    await t.rejects(at.load("", { mode }), { code: "bad_file", message: "ids.csv is empty" });
    await t.rejects(at.load("customer\n1\n", { mode }), { code: "bad_file", message: 'ids.csv has no column "user_id"', hint: /its columns: customer;/ });
    t.same([at.members(), at.store.audit.all(), at.store.audiences.list()], before, mode);
  }
  const options: LoadOptions = { column: "user_id", mode: "replace", encoding: "auto", maxRejects: { rows: 0 } };
  await t.rejects(loadAudience(at.store, SEGMENT, join(at.dir, "nowhere.csv"), options, "x"), {
    code: "bad_file",
    message: "nowhere.csv does not exist",
    hint: "check the path",
  });
  await t.rejects(loadAudience(at.store, SEGMENT, at.dir, options, "x"), { code: "bad_file", message: / is a folder$/, hint: "name a CSV file" });
  await t.rejects(loadAudience(at.store, SEGMENT, join(FIXTURES, "users-with-bad-rows.csv"), options, "x"), {
    code: "bad_file",
    message: /^users-with-bad-rows\.csv: 1 of 4 rows are wrong, the first in line 3: /,
  });
  t.same([at.members(), at.store.audit.all(), at.store.audiences.list()], before);
});

t.test("one segment per value of a column", async (t) => {
  const at = loader(t);
  const done = await at.import("user_id,job\n1,admin\n2,services\n3,admin\nx,admin\n", "job");
  t.match(done, [
    { name: "admin", rows: 3, added: 3, rejected: 0, total: 3 },
    { name: "services", rows: 1, added: 1, rejected: 0, total: 1 },
  ]);
  t.equal(done.length, 2);
  t.same([at.members("admin"), at.members("services")], [["1", "3", "x"], ["2"]]);
  t.match(await at.import("user_id,job\n9,admin\n", "job"), [{ name: "admin", added: 1, removed: 3, total: 1 }]);
  t.same(at.members("services"), ["2"], "a segment that the file does not name stays");
  await t.rejects(at.import("user_id,job\n1,no name\n", "job", { maxRejects: { rows: 5 } }), {
    code: "bad_file",
    message: "ids.csv: none of its 1 rows can be loaded",
  });
  t.same(
    at.store.audit.all().map(({ what, subject }) => [what, subject]),
    [
      ["segment.import", "segment:admin"],
      ["segment.import", "segment:services"],
      ["segment.import", "segment:admin"],
    ],
  );
});

t.test("an import tells of the bad rows of each segment, and is refused whole beyond the limit", async (t) => {
  const at = loader(t);
  const text = "user_id,job\n1,admin\nhas space,admin\nhas space,retired\n2,no name\n";
  t.match(await at.import(text, "job", { maxRejects: { rows: 3 } }), [{ name: "admin", rows: 2, rejected: 1, total: 1 }]);
  t.same(
    at.rejections().map(([line, reason]) => [line, reason.split(" (")[0]]),
    [
      [3, "not a user id"],
      [4, "not a user id"],
      [5, 'job "no name" is not a segment name'],
    ],
  );
  t.equal(at.store.audiences.find({ kind: "segment", name: "retired" }), undefined, "bad rows alone make no segment, and empty none");
  const before = [at.store.audit.all(), at.store.audiences.list()];
  await t.rejects(at.import(text, "job", { maxRejects: { rows: 2 } }), {
    code: "bad_file",
    message: /^ids\.csv: 3 of 4 rows are wrong, the first in line 3: /,
  });
  await t.rejects(at.import(text, "city"), { code: "bad_file", message: 'ids.csv has no column "city"', hint: /its columns: user_id, job;/ });
  t.same([at.store.audit.all(), at.store.audiences.list()], before);
});
