/** Rows out of CSV files, whatever they look like and however they arrive; against csv-parse on random ones. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import t from "tap";
import type { Input } from "../../dist/load/input.js";
import { RejectFile } from "../../dist/load/rejects.js";
import { idProblem, readRows } from "../../dist/load/rows.js";
import { MAX_RECORD_BYTES } from "../../dist/load/scanner.js";
import { Random, seedOfRun } from "../helpers/random.js";

const dir = mkdtempSync(join(tmpdir(), "popup-rows-"));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

interface Read {
  readonly ids: string[];
  readonly rows: number;
  readonly rejected: { line: number; reason: string; text: string }[];
}
interface How {
  readonly columns?: string[];
  readonly size?: number;
  readonly delimiter?: string;
}

/** Reads a text, cut into pieces of `size` bytes, as a file may arrive. */
async function read(text: string | Buffer, { columns = ["user_id"], size = 65_536, delimiter }: How = {}): Promise<Read> {
  const bytes = Buffer.from(text);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const ids: string[] = [];
  const rejects = new RejectFile(join(dir, "rejects.csv"));
  const rows = await readRows({ name: "f.csv", pieces } as unknown as Input, {
    columns,
    delimiter,
    rejects,
    onProgress: () => undefined,
    onRow: (fields) => {
      const values = columns.map((_, slot) => fields.text(slot));
      const problem = idProblem(values[0] ?? "");
      const integer = fields.integer(0);
      if (integer >= 0 && String(integer) !== values[0]) throw new Error(`${values[0] ?? ""} was read as ${integer}`);
      if (problem === undefined) ids.push(values.join("/"));
      return problem;
    },
  });
  rejects.end();
  const rejected =
    rejects.count === 0
      ? []
      : (parse(rejectsText(), { columns: true }) as { line: string; reason: string; text: string }[]).map((one) => ({ ...one, line: Number(one.line) }));
  return { ids, rows, rejected };
}
const rejectsText = (): Buffer => readFileSync(join(dir, "rejects.csv"));

t.test("byte-order mark, line endings, quotes: however the file arrives", async (t) => {
  const files: [string, string, string[]][] = [
    ["plain", "user_id\n1\n2\n", ["1", "2"]],
    ["no newline at the end", "user_id\n1\n2", ["1", "2"]],
    ["byte-order mark", "\uFEFFuser_id\n1\n2\n", ["1", "2"]],
    ["byte-order mark before a quoted header", '\uFEFF"user_id","x"\n"1",a\n', ["1"]],
    ["CRLF", "user_id\r\n1\r\n2\r\n", ["1", "2"]],
    ["CR alone", "user_id\r1\r2\r", ["1", "2"]],
    ["mixed line endings", "user_id\r\n1\n2\r\n3\r4\n", ["1", "2", "3", "4"]],
    ["empty lines", "user_id\n\n1\n\r\n\n2\n\n", ["1", "2"]],
    ["empty lines before the header", "\n\r\nuser_id\n1\n", ["1"]],
    ["quoted commas and newlines", 'a,user_id,b\n"x, ""y""\nz",1,"q,r"\n,2,\n', ["1", "2"]],
    ["blanks around a title", "a , user_id ,b\nx,1,y\n", ["1"]],
    ["shorter rows, and a delimiter too many", "user_id,a\n1\n2,x,\n3,,,\n", ["1", "2", "3"]],
    ["the first of two columns of one name", "user_id,user_id\n1,2\n", ["1"]],
    ["quotes in the middle of a field stand for themselves", 'a,user_id\n5" nails,1\nx"",2\n', ["1", "2"]],
    ["a quoted id at the very end", 'user_id\n"1"\n"2"', ["1", "2"]],
    ["semicolons", "a;user_id\nx, y;1\n", ["1"]],
    ["tabs", 'a\tuser_id\n"x\ty"\t1\n', ["1"]],
    ["bars", "a|user_id\nx|1\n", ["1"]],
  ];
  for (const [name, text, ids] of files) {
    for (const size of [65_536, 1, 2, 3]) t.match(await read(text, { size }), { ids, rows: ids.length, rejected: [] }, `${name}, in pieces of ${size}`);
  }
  t.match(await read("a;user_id,b\nx;1,y\n", { delimiter: ";", columns: ["a"] }), { ids: ["x"] }, "as told");
});

t.test("several columns, in the order asked for", async (t) => {
  t.same((await read("job,x,user_id\nadmin,?,1\n,?,2\n", { columns: ["user_id", "job"] })).ids, ["1/admin", "2/"]);
});

t.test("a bad row is rejected alone, with its line and as it stood", async (t) => {
  const bad = ["has space", "ü", "x".repeat(65), '""', "a/b", " 7", "last bad"];
  const { ids, rows, rejected } = await read(`user_id\n1\n${bad.join("\n")}\n2\n`);
  t.same([ids, rows, rejected.map(({ line, text }) => [line, text])], [["1", "2"], 9, bad.map((text, n) => [3 + n, text])]);
  t.same(
    (await read("user_id,a\r\n1,x\r\n\r\n!,x\r\n")).rejected.map(({ line }) => line),
    [4],
    "empty lines count as lines",
  );
  t.same((await read("a,user_id\nx\n")).rejected, [{ line: 2, reason: "no user id", text: "x" }], "a row that ends before the column");
  t.same(
    (await read('a,user_id\n"x\ny",1\nz,!\n')).rejected.map(({ line }) => line),
    [4],
    "the lines within a field count as lines",
  );
  t.same(
    await read("name,user_id,n\nSmith,J,1001,20\nAnn,7,1\n"),
    { ids: ["7"], rows: 2, rejected: [{ line: 2, reason: "4 fields, the header has 3", text: "Smith,J,1001,20" }] },
    "a comma that was not quoted",
  );
  t.same(
    (await read('user_id,"Full\nname"\nbad id,x\n')).rejected.map(({ line }) => line),
    [3],
    "a header of two lines",
  );
  t.same(
    (await read(`user_id,n\n!,${"x".repeat(20_000)}\n`)).rejected.map(({ text }) => text.length),
    [10_000 + " … (20002 bytes)".length],
    "what is cut is said",
  );
  t.match((await read("user_id\n7 \n1\n")).rejected, [{ reason: "blanks around the user id" }]);
  t.equal(idProblem("007"), undefined);
  t.match(idProblem("a b"), /^not a user id \(1 to 64 characters of /);
});

t.test("a quote that is not closed takes no other row with it", async (t) => {
  const unclosed = "a quote that opens in this line is not closed, or text follows it";
  const many = Array.from({ length: 300_000 }, (_, n) => String(n));
  for (const size of [65_536, 7]) {
    t.match(await read('user_id\n1\n"2\n3\n4\n', { size }), { ids: ["1", "3", "4"], rejected: [{ line: 3, reason: unclosed, text: '"2' }] });
    t.match(
      await read('user_id,n\n1,"Ann\n2,"Bo"\n3,Cy\n', { size }),
      { ids: ["2", "3"], rejected: [{ line: 2, text: '1,"Ann' }] },
      "the next row's quote closes it, and text follows",
    );
    t.match(
      await read('user_id,n\n1,"Ann\n2,Bo\n3,Cy\n4,Di\n5,Ed"\n6,Fi\n', { size }),
      { ids: ["2", "3", "4", "5", "6"], rejected: [{ line: 2, text: '1,"Ann' }] },
      "what it swallowed were rows",
    );
    t.match(
      await read('user_id,n\n1,"Ann\n7,5 percent\nor 8"\n6,Fi\n', { size }),
      { ids: ["6"], rejected: [{ line: 2, reason: /^a field of several lines, one of which would be a row by itself/, text: '1,"Ann\n7,5 percent\nor 8"' }] },
      "a text that has a line like a row is not guessed at: it is said",
    );
    t.match(
      await read('user_id,n\n1,"Ann\nbad id,x\n\n2,Bo\n3,Cy\n\n4,Di\n5,Ed"\n6,Fi\n', { size }),
      { ids: ["2", "3", "4", "5", "6"], rejected: [{ line: 2 }, { line: 3 }] },
      "wherever among what it swallowed",
    );
    t.match(
      await read('n,user_id\na,"1\nb,2\nc,3"\nd,4\n', { size }),
      { ids: ["2", "4"], rejected: [{ line: 2 }, { line: 4, text: 'c,3"' }] },
      "no id has a line's end in it",
    );
    t.match(await read('user_id,n\n1,"Ann\n2 Main Street"\n4,Di\n', { size }), { ids: ["1", "4"], rejected: [] }, "a field of two lines is one");
    t.match(await read('user_id,n\n1,"Ann"x\n2,Bo\n', { size }), { ids: ["2"], rejected: [{ line: 2, reason: unclosed }] });
  }
  const late = await read(`user_id,n\n"x\n${many.join(",\n")}`);
  t.match([late.ids.length, late.rejected], [many.length, [{ line: 2 }]], "more than fits into a record follow");
});

t.test("a line that is too long is passed over", async (t) => {
  const long = "9".repeat(3 * MAX_RECORD_BYTES);
  for (const end of ["\n", "\r\n", "\r"]) {
    // In pieces that end with a line's CR, and others.
    const { ids, rejected } = await read(["user_id", "1", long, "2", `${long},x`, "3"].join(end), {
      size: end === "\r" ? 10 + 3 * MAX_RECORD_BYTES + 1 : 100_003,
    });
    t.same(
      [ids, rejected.map(({ line, reason }) => [line, reason])],
      [["1", "2", "3"], [3, 5].map((line) => [line, "the line is longer than 1,048,576 bytes"])],
    );
  }
  t.match(await read(`user_id\n1\n${long}`), { ids: ["1"], rejected: [{ line: 3 }] }, "the last one");
});

t.test("a file whose header says nothing is refused", async (t) => {
  const refused = (text: string, message: string | RegExp, hint: string | RegExp, columns = ["user_id"]): Promise<unknown> =>
    t.rejects(read(text, { columns }), { code: "bad_file", message, hint });
  await refused("", "f.csv is empty", /a header line with the column user_id/);
  await refused("\n\r\n", "f.csv is empty", /./);
  await refused("user_id\n", "f.csv has a header and no row", /^nothing was loaded; to empty a segment/);
  await refused("user_id\n\n\n", "f.csv has a header and no row", /./);
  await refused("id, name\n1,a\n", 'f.csv has no column "user_id"', "its columns: id, name; name one with --column");
  await refused("id;user;x\n1;a\n", 'f.csv has no column "user_id"', "its columns: id, user, x; name one with --column");
  await refused("USER_ID\n1\n", 'f.csv has no column "user_id"', /its columns: USER_ID;/);
  await refused("user_id\n1\n", 'f.csv has no column "job"', /its columns: user_id;/, ["user_id", "job"]);
  await refused('"user_id\n1\n', "f.csv has no header that can be read", /is a quote in it not closed/);
  await refused("\0\x01\nuser_id\n1\n", "f.csv is no text: it has zero bytes in its first line", /UTF-16/);
  await refused("\n".repeat(2 * MAX_RECORD_BYTES), /^f\.csv has no header in its first 1,048,576 bytes$/, /./);
  await refused("x".repeat(2 * MAX_RECORD_BYTES), "f.csv has no header that can be read", /./);
});

t.test("reads what csv-parse reads of any well-formed file", async (t) => {
  const random = new Random(seedOfRun());
  t.comment(`POPUP_SEED=${random.seed}`);
  for (let round = 0; round < 300; round++) {
    const delimiter = random.pick([",", ";", "\t", "|"]);
    const width = random.between(1, 5);
    const place = random.between(0, width - 1);
    const titles = Array.from({ length: width }, (_, n) => (n === place ? "user_id" : `c${n}`));
    // No letter of an id, so that no line within a field is a row by itself.
    const field = (): string => {
      const text = Array.from({ length: random.between(0, 6) }, () => random.pick(["ä", "ü", " ", delimiter, '"', "\n", "\r\n", "%", ""])).join("");
      return /["\r\n]/.test(text) || text.includes(delimiter) || random.chance(0.2) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const id = (): string => {
      const text = random.pick([
        String(random.between(0, 4_294_967_295)),
        String(random.between(4_294_967_290, 4_294_967_300)),
        `00${random.between(0, 9)}`,
        `u${random.between(0, 99)}@x`,
        "0",
        "-1",
        "1e3",
      ]);
      return random.chance(0.3) ? `"${text}"` : text;
    };
    const end = random.pick(["\n", "\r\n", "\r"]);
    const lines = [
      titles.join(delimiter),
      ...Array.from({ length: random.between(1, 30) }, () => titles.map((_, n) => (n === place ? id() : field())).join(delimiter)),
    ];
    // A line break in a file of mixed ones is one in every reading.
    const text = (random.chance(0.3) ? "\uFEFF" : "") + lines.map((line) => line + (random.chance(0.2) ? random.pick(["\n", "\r\n"]) : end)).join("");
    const wanted = (
      parse(text, { bom: true, delimiter, record_delimiter: ["\r\n", "\n", "\r"], relax_column_count: true, skip_empty_lines: true }) as string[][]
    )
      .slice(1)
      .map((row) => row[place] ?? "");
    const got = await read(text, { delimiter, size: random.pick([1, 3, 10, 1_000]) });
    const valid = wanted.filter((one) => idProblem(one) === undefined);
    if (got.rows !== wanted.length || got.ids.join(" ") !== valid.join(" ")) t.same([got.rows, got.ids], [wanted.length, valid], JSON.stringify(text));
  }
  t.pass("300 files");
});
