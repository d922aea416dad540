/** What campaign files may look like, and what is refused before it costs anything. */
import t, { type Test } from "tap";
import { Faults } from "../../dist/plan/faults.js";
import { type FileRecord, readRecords } from "../../dist/plan/records.js";

function read(text: string): { records: FileRecord[]; faults: string | undefined } {
  const faults = new Faults("dir");
  const records = readRecords(text, "f.yaml", faults);
  try {
    faults.throwAny();
    return { records, faults: undefined };
  } catch (error) {
    return { records, faults: (error as Error).message };
  }
}

function refused(t: Test, name: string, text: string, pattern: RegExp): void {
  const { records, faults } = read(text);
  t.match(faults, pattern, name);
  t.same(records, [], name);
}

t.test("objects, lists and documents, in YAML and JSON, with their lines", async (t) => {
  const cases: [string, string, [number, unknown][]][] = [
    ["an object", "title: a\npriority: 1\n", [[1, { title: "a", priority: 1 }]]],
    [
      "a list",
      "# two\n- title: a\n- title: b\n",
      [
        [2, { title: "a" }],
        [3, { title: "b" }],
      ],
    ],
    [
      "documents",
      "title: a\n---\n# none\n---\n- title: b\n",
      [
        [1, { title: "a" }],
        [5, { title: "b" }],
      ],
    ],
    [
      "JSON",
      '[\n{"title": "a"},\n{"title": "b"}]',
      [
        [2, { title: "a" }],
        [3, { title: "b" }],
      ],
    ],
    ["JSON with tabs", '{\n\t"caps": [\n\t\t"1/day"\n\t]\n}', [[1, { caps: ["1/day"] }]]],
    ["JSON in one line", `[${Array.from({ length: 50 }, () => '{"a":1,"b":[1]}').join(",")}]`, Array.from({ length: 50 }, () => [1, { a: 1, b: [1] }])],
    ["lines of Windows", "title: a\r\nbody: b\r\n", [[1, { title: "a", body: "b" }]]],
    [
      "an alias",
      "- caps: &c [1/day]\n- caps: *c\n",
      [
        [1, { caps: ["1/day"] }],
        [2, { caps: ["1/day"] }],
      ],
    ],
    ["the core schema: no dates, no yes", "a: 2026-12-01\nb: yes\nc: 1/day\n", [[1, { a: "2026-12-01", b: "yes", c: "1/day" }]]],
    ["whatever version it says", "%YAML 1.1\n---\na: yes\n", [[3, { a: "yes" }]]],
    ["no inheriting", "__proto__: 1\n<<: {a: 1}\n", [[1, JSON.parse('{"__proto__": 1, "<<": {"a": 1}}')]]],
  ];
  for (const [name, text, wanted] of cases) {
    const { records, faults } = read(text);
    t.equal(faults, undefined, name);
    t.same(
      records.map(({ line, value }) => [line, JSON.stringify(value)]),
      wanted.map(([line, value]) => [line, JSON.stringify(value)]),
      name,
    );
  }
  const [record] = read("title: a\n\nbody: b\n").records;
  t.same(
    ["title", "body", "caps"].map((field) => record?.lineOf(field)),
    [1, 3, 1],
    "of a field that is not there, the line of the campaign",
  );
});

t.test("refused, with the line", async (t) => {
  refused(t, "nothing", "# nothing\n", /f\.yaml: holds no campaign/);
  refused(t, "an empty list", "[]", /f\.yaml: holds no campaign/);
  refused(t, "a key twice", "title: a\ntitle: b\n", /f\.yaml, line 2: Map keys must be unique/);
  refused(t, "a key twice in JSON", '{"title": "a",\n "title": "b"}', /f\.yaml, line 2: Map keys must be unique/);
  refused(t, "a tag", "title: a\nbody: !secret x\n", /f\.yaml, line 2: Unresolved tag: !secret/);
  refused(t, "no YAML", "title: a\n  body: b\n", /f\.yaml, line 1: /);
  refused(t, "cut JSON", '{"title": "a"', /f\.yaml, line 1: Flow map/);
  refused(t, "many faults", `${"a: !x 1\n---\n".repeat(30)}`, /30 faults in the campaign files\n(?: {2}f\.yaml, line .*\n){20} {2}and 10 more$/);
});

t.test("what is made to grow as it is read", async (t) => {
  const bomb = `a: &a [${"x,".repeat(9)}x]\n${["b", "c", "d"].map((name, n) => `${name}: &${name} [${`*${"abc"[n]},`.repeat(9)}*${"abc"[n]}]`).join("\n")}\n`;
  refused(t, "aliases of aliases", bomb, /f\.yaml, line 1: Excessive alias count/);
  const deep: [string, string][] = [
    ["brackets", "[".repeat(100_000)],
    ["pairs of them", "[".repeat(5_000) + "]".repeat(5_000)],
    ["hyphens", "- ".repeat(100_000)],
    ["colons", `${"a: ".repeat(1_000)}1`],
    ["blanks", Array.from({ length: 300 }, (_, n) => `${" ".repeat(n)}a:`).join("\n")],
  ];
  for (const [name, text] of deep) refused(t, name, text, /f\.yaml: cannot be read: it is nested more than 20 deep/);
});
