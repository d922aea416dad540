import t from "tap";
import { Readable } from "node:stream";
import { idProblem, readCsv } from "../../dist/load/csv.js";

interface Read { readonly ids: string[]; readonly rows: number; readonly rejected: number; readonly lines: number[] }

/** Reads a text, cut into pieces of `size` bytes, as a file may arrive. */
async function read(text: string, { columns = ["user_id"], size = 65_536 }: { columns?: string[]; size?: number } = {}): Promise<Read> {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
  const ids: string[] = [];
  const { rows, rejected, rejections } = await readCsv(Readable.from(pieces, { objectMode: false }), "f.csv", columns, (values) => {
    const problem = idProblem(values[0] ?? "");
    if (problem === undefined) ids.push(values.join("/"));
    return problem;
  });
  return { ids, rows, rejected, lines: rejections.map(({ line }) => line) };
}

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
    ["quoted commas and newlines", 'a,user_id,b\n"x, ""y""\nz",1,"q,r"\n,2,\n', ["1", "2"]],
    ["blanks around a title", "a , user_id ,b\nx,1,y\n", ["1"]],
    ["longer and shorter rows", "user_id,a\n1\n2,x,y,z\n", ["1", "2"]],
    ["the first of two columns of one name", "user_id,user_id\n1,2\n", ["1"]],
  ];
  for (const [name, text, ids] of files) {
    for (const size of [65_536, 1, 2, 3]) t.match(await read(text, { size }), { ids, rows: ids.length, rejected: 0 }, `${name}, in pieces of ${size}`);
  }
});

t.test("several columns, in the order asked for", async (t) => {
  t.same((await read("job,x,user_id\nadmin,?,1\n,?,2\n", { columns: ["user_id", "job"] })).ids, ["1/admin", "2/"]);
});

t.test("a bad row is rejected alone, with its line", async (t) => {
  const bad = ["has space", "ü", "x".repeat(65), '""', "a/b", "last bad"];
  const result = await read(`user_id\n1\n${bad.join("\n")}\n2\n`);
  t.same(result, { ids: ["1", "2"], rows: 8, rejected: 6, lines: [3, 4, 5, 6, 7] }, "the first five are kept");
  t.same((await read("user_id,a\r\n1,x\r\n\r\n!,x\r\n")).lines, [4], "empty lines count as lines");
  t.same((await read("a,user_id\nx\n")).rejected, 1, "a row that ends before the column");
  t.equal(idProblem(""), "no user id");
  t.match(idProblem("a b"), /^not a user id \(1 to 64 characters of /);
  t.equal(idProblem("007"), undefined);
});

t.test("a file that cannot be read whole is refused", async (t) => {
  const refused = (text: string, message: string | RegExp, hint: string | RegExp, columns = ["user_id"]): Promise<unknown> =>
    t.rejects(read(text, { columns }), { code: "bad_file", message, hint });
  await refused("", "f.csv is empty", /a header line with the column user_id/);
  await refused("\n\r\n", "f.csv is empty", /./);
  await refused("id, name\n1,a\n", 'f.csv has no column "user_id"', "its columns: id, name; name one with --column");
  await refused("USER_ID\n1\n", 'f.csv has no column "user_id"', /its columns: USER_ID;/);
  await refused("user_id\n1\n", 'f.csv has no column "job"', /its columns: user_id;/, ["user_id", "job"]);
  await refused('user_id\n1\n"2\n3\n', "f.csv: a quote opened in row 2 after the header is not closed", /^nothing was loaded;/);
  await refused('"user_id\n1\n', "f.csv: a quote opened in the header is not closed", /./);
  await refused('user_id\n1\n2"\n', /^f\.csv cannot be read as CSV: Invalid Opening Quote.* line 3/, /./);
  await refused(`user_id\n"1\n${"2\n".repeat(600_000)}"\n`, "f.csv: a quote opened in row 1 after the header is not closed", /./);
});
