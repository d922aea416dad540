/** Files as they come: compressed, cut off, no text at all, growing; what is rejected and where that is said. */

import { createHash } from "node:crypto";
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, statSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import type { AudienceRef } from "../../dist/audience.js";
import { type LoadOptions, type LoadProgress, type LoadResult, loadAudience } from "../../dist/load/load.js";
import { testStore } from "../helpers/store.js";

const SEGMENT: AudienceRef = { kind: "segment", name: "s" };
const at = testStore(t);
const { store } = at;

const load = (file: string, options: Partial<LoadOptions> = {}): Promise<LoadResult> =>
  loadAudience(store, SEGMENT, file, { column: "user_id", mode: "replace", encoding: "auto", maxRejects: { percent: 1 }, ...options }, "segment.load");
function put(name: string, content: string | Buffer): string {
  const path = join(at.dir, name);
  writeFileSync(path, content);
  return path;
}
const csv = (from: number, to: number): string => `user_id\n${Array.from({ length: to - from }, (_, n) => from + n).join("\n")}\n`;
const state = (): unknown => [store.audit.all(), store.audiences.list()];

t.test("gzip is told by its first bytes; the checksum is that of the file as it lies there", async (t) => {
  const zipped = gzipSync(csv(0, 200_000));
  for (const name of ["ids.csv.gz", "ids.csv"]) t.match(await load(put(name, zipped)), { rows: 200_000, total: 200_000, rejected: 0 }, name);
  t.match(store.audiences.history(SEGMENT).at(-1), { file: "ids.csv", sha256: createHash("sha256").update(zipped).digest("hex") });
  t.match(await load(put("two.csv.gz", Buffer.concat([gzipSync("user_id\n1\n"), gzipSync("2\n")]))), { total: 2 }, "two that were put together");
});

t.test("what is no whole text is refused, and nothing is changed", async (t) => {
  const zipped = gzipSync(csv(0, 50_000));
  const before = state();
  const refused = (file: string, message: RegExp | string, hint: RegExp): Promise<unknown> => t.rejects(load(file), { code: "bad_file", message, hint });
  await refused(
    put("cut.csv.gz", zipped.subarray(0, zipped.length - 100)),
    /^cut\.csv\.gz is no whole gzip: unexpected end of file$/,
    /^nothing was loaded; it ends early or is damaged/,
  );
  await refused(
    put("torn.csv.gz", Buffer.concat([zipped.subarray(0, 2_000), Buffer.from("not gzip at all"), zipped.subarray(2_015)])),
    /^torn\.csv\.gz is no whole gzip: /,
    /damaged/,
  );
  await refused(put("app.csv", Buffer.from("\x7fELF\x02\x01\x01\0\0\0\n1\n")), "app.csv is no text: it has zero bytes in its first line", /UTF-16/);
  await refused(
    put("utf16.csv", Buffer.from("\uFEFFuser_id\n1\n", "utf16le")),
    "utf16.csv is no text: it has zero bytes in its first line",
    /save it as CSV in UTF-8/,
  );
  await refused(put("zipped.csv.gz", gzipSync(Buffer.from("PK\0\0"))), /zipped\.csv\.gz is no text/, /./);
  await refused(join(at.dir, "nowhere.csv"), "nowhere.csv does not exist", /check the path/);
  await refused(at.dir, / is a folder$/, /name a CSV file/);
  t.same(state(), before);
});

t.test("a file that grows or is touched while it is read is refused", async (t) => {
  const before = state();
  // Larger than what is read at a time, so that there is a moment within it.
  const path = put("growing.csv", csv(1_000_000, 1_400_000));
  const changes: Record<string, () => void> = {
    grows: () => appendFileSync(path, "7\n"),
    "is written over": () => utimesSync(path, new Date(0), new Date()),
    "is replaced": () => writeFileSync(path, csv(0, 10)),
  };
  for (const [what, change] of Object.entries(changes)) {
    let once = change;
    const onProgress = (): void => {
      once();
      once = () => undefined;
    };
    await t.rejects(
      load(path, { onProgress }),
      { code: "bad_file", message: "growing.csv changed while it was read", hint: /^nothing was loaded; wait until/ },
      what,
    );
    writeFileSync(path, csv(1_000_000, 1_400_000));
  }
  t.same(state(), before);
  t.match(await load(path), { total: 400_000 });
});

t.test("rejected rows are in a file beside the input, or where it was said", async (t) => {
  const bad = ["has space", 'say "hi"', "x,y"];
  const path = put(
    "mixed.csv",
    `user_id,n\n${bad.map((id) => `"${id.replaceAll('"', '""')}",1`).join("\n")}\n${Array.from({ length: 400 }, (_, n) => `${n},2`).join("\n")}\n`,
  );
  const { rejects_file: rejects, rejected } = await load(path);
  t.same([rejects, rejected], [`${path}.rejects.csv`, 3]);
  const rule = "not a user id (1 to 64 characters of A-Z a-z 0-9 . _ : @ -)";
  t.equal(
    readFileSync(`${path}.rejects.csv`, "utf8"),
    `line,reason,text\n2,${rule},"""has space"",1"\n3,${rule},"""say """"hi"""""",1"\n4,${rule},"""x,y"",1"\n`,
  );
  const elsewhere = join(at.dir, "rejects-of-mine.csv");
  t.match(await load(path, { rejectsFile: elsewhere }), { rejects_file: elsewhere });
  t.equal(readFileSync(elsewhere, "utf8"), readFileSync(`${path}.rejects.csv`, "utf8"));
  const before = state();
  await t.rejects(load(path, { rejectsFile: join(at.dir, "no", "folder.csv") }), {
    code: "bad_file",
    message: /^the rejected rows cannot be written to .*folder\.csv: ENOENT/,
    hint: /--rejects/,
  });
  t.same(state(), before, "rows that nobody would be told of are not left out");
  await t.rejects(load(path, { rejectsFile: path }), { code: "invalid", field: "--rejects", message: /is the file that is loaded$/ });
  const clean = put("clean.csv", "user_id\n1\n!\n");
  await load(clean, { maxRejects: { rows: 1 } });
  t.ok(existsSync(`${clean}.rejects.csv`));
  put("clean.csv", "user_id\n1\n");
  t.match(await load(clean), { rejects_file: null });
  t.notOk(existsSync(`${clean}.rejects.csv`), "what an earlier load of it left is gone");
});

t.test("a line of 200 MB, and memory", async (t) => {
  const path = join(at.dir, "long.csv");
  const file = openSync(path, "w");
  writeSync(file, "user_id\n1\n");
  const piece = Buffer.alloc(8 * 2 ** 20, "7");
  for (let n = 0; n < 25; n++) writeSync(file, piece);
  writeSync(file, "\n2\n");
  closeSync(file);
  const before = process.memoryUsage.rss();
  let most = 0;
  const result = await load(path, { maxRejects: { rows: 1 }, onProgress: () => (most = Math.max(most, process.memoryUsage.rss())) });
  t.match(result, { rows: 3, rejected: 1, total: 2 });
  t.ok(most - before < 60 * 2 ** 20, `${Math.round((most - before) / 2 ** 20)} MiB more than before`);
  t.ok(statSync(`${path}.rejects.csv`).size < 11_000, "of the line, only its beginning is kept");
});

t.test("progress: rows and bytes grow to all there are", async (t) => {
  const path = put("progress.csv", csv(0, 500_000));
  const seen: LoadProgress[] = [];
  let read = 0;
  await load(path, { onProgress: (progress) => seen.push(progress), onRead: () => read++ });
  t.ok(seen.length >= 3);
  t.ok(seen.every((one, n) => n === 0 || (one.rows >= (seen[n - 1]?.rows ?? 0) && one.bytes > (seen[n - 1]?.bytes ?? 0))));
  t.match(seen.at(-1), { bytes: statSync(path).size, size: statSync(path).size, rejected: 0 });
  t.equal(read, 1);
});
