/** Damage takes what it hit and nothing else: a torn end, a wrong byte anywhere, a lost line end, long nonsense. */
import "../helpers/uncovered.js";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import t from "tap";
import { lineOf } from "../../dist/spool/record.js";
import { appendAll, numbers, openSpool, range, replayed, reportNo, spoolFolder, type Trouble } from "../helpers/spool.js";

const root = spoolFolder(t, { inMemory: true });
const file = join(root, "0", "00000001.log");
const LINES = range(0, 4).map((n) => Buffer.from(lineOf(reportNo(n))));
const WHOLE = Buffer.concat(LINES);
const TORN = "the last record of the spool was not written to its end; it is dropped";
const DAMAGED = "a damaged part of the spool is dropped";

/** What a spool makes of a file with this content: the numbers it counts and hands out, and what it tells. */
async function outcome(t: Test, content: Buffer): Promise<{ found: number[]; troubles: Trouble[] }> {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(join(root, "0"), { recursive: true });
  writeFileSync(file, content);
  const troubles: Trouble[] = [];
  const spool = await openSpool(t, root, { troubles });
  const { records, oldestAt } = spool;
  const found = numbers(await replayed(spool, 3));
  t.equal(records, found.length, "what it counted is what it handed out");
  t.equal(oldestAt, found[0] === undefined ? undefined : reportNo(found[0]).at);
  t.same(
    readdirSync(join(root, "0")).filter((name) => name.endsWith(".log")),
    [],
    "the file is done",
  );
  await spool.close();
  return { found, troubles };
}

t.test("the format is what it is documented to be", async (t) => {
  const written = spoolFolder(t);
  const spool = await openSpool(t, written);
  await appendAll(spool, 0, 4);
  t.strictSame(readFileSync(join(written, "0", "00000001.log")), WHOLE);
  t.match(
    WHOLE.toString(),
    /^[0-9a-f]{8} \{"type":"impression","campaignId":1,"userId":"user-0@bank","impressionId":"0","sessionId":null,"at":1780000000000\}\n/,
  );
});

t.test("torn at every byte of the last record", async (t) => {
  const last = WHOLE.length - (LINES[3]?.length ?? 0);
  for (let end = last; end <= WHOLE.length; end++) {
    const { found, troubles } = await outcome(t, WHOLE.subarray(0, end));
    // The line end itself may be missing: the sum says that the record is whole.
    const whole = end >= WHOLE.length - 1;
    t.same(found, whole ? [0, 1, 2, 3] : [0, 1, 2], `cut at ${end}`);
    if (whole || end === last) t.same(troubles, []);
    else t.match(troubles, [{ message: TORN, details: { file, from: last, to: end } }], "one warning, with the place");
    t.equal(troubles.length, whole || end === last ? 0 : 1);
  }
});

t.test("what follows a torn record is in a new file, and comes after it", async (t) => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(join(root, "0"), { recursive: true });
  writeFileSync(file, WHOLE.subarray(0, -10));
  const troubles: Trouble[] = [];
  const spool = await openSpool(t, root, { troubles });
  await appendAll(spool, 4, 6);
  t.same(numbers(await replayed(spool)), [0, 1, 2, 4, 5]);
  t.match(troubles, [{ message: TORN }]);
  t.equal(troubles.length, 1, "told once, though the file was read twice");
});

t.test("every byte in the middle, with a wrong bit, and as a line end", async (t) => {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = LINES;
  for (let at = first.length; at < first.length + second.length; at++) {
    for (const wrong of [(WHOLE[at] ?? 0) ^ (1 << (at % 8)), 0x0a]) {
      if (wrong === WHOLE[at]) continue;
      const content = Buffer.from(WHOLE);
      content[at] = wrong;
      const { found, troubles } = await outcome(t, content);
      // A line end that is wrong has joined two records, and both are there.
      const lineEnd = at === first.length + second.length - 1;
      t.same(found, lineEnd ? [0, 1, 2, 3] : [0, 2, 3], `byte ${at - first.length} is 0x${wrong.toString(16)}`);
      if (!lineEnd) t.match(troubles, [{ message: DAMAGED, details: { from: first.length, to: first.length + second.length } }]);
      t.equal(troubles.length, lineEnd ? 0 : 1);
    }
  }
});

t.test("bytes lost and bytes put in", async (t) => {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = LINES;
  const rest = WHOLE.subarray(first.length + second.length);
  for (let cut = 1; cut < second.length - 1; cut += 7) {
    const { found, troubles } = await outcome(t, Buffer.concat([first, second.subarray(0, cut), rest]));
    t.same(found, [0, 2, 3], `all after byte ${cut} of the second is missing, its line end too`);
    t.match(troubles, [{ message: DAMAGED }]);
  }
  for (const [name, nonsense] of Object.entries({
    zeros: Buffer.alloc(300_000),
    "line ends": Buffer.alloc(5_000, 0x0a),
    text: Buffer.from("x".repeat(5_000)),
    "what looks like beginnings": Buffer.from("00000000 {".repeat(20_000)),
  })) {
    for (const end of ["", "\n"]) {
      const { found, troubles } = await outcome(t, Buffer.concat([first, nonsense, Buffer.from(end), second, rest]));
      t.same(found, [0, 1, 2, 3], `${name} ${end === "" ? "" : "and a line end"}`);
      t.match(troubles, [{ message: DAMAGED, details: { from: first.length, to: first.length + nonsense.length + end.length } }]);
      t.equal(troubles.length, 1, "one warning");
    }
  }
  t.match(
    await outcome(t, Buffer.alloc(100_000)),
    { found: [], troubles: [{ message: TORN, details: { from: 0, to: 100_000 } }] },
    "zeros only, as a power failure leaves them",
  );
  t.same(await outcome(t, Buffer.alloc(0)), { found: [], troubles: [] });
});

t.test("a line with the right sum that is no report", async (t) => {
  const report = reportNo(9);
  for (const value of [
    [],
    {},
    { ...report, type: "view" },
    { ...report, campaignId: "1" },
    { ...report, userId: 1 },
    { ...report, sessionId: undefined },
    { ...report, at: 1.5 },
    { segment: 1, offset: 0 },
  ]) {
    t.match(
      await outcome(t, Buffer.concat([WHOLE, Buffer.from(lineOf(value)), WHOLE])),
      { found: [0, 1, 2, 3, 0, 1, 2, 3], troubles: [{ message: DAMAGED }] },
      JSON.stringify(value),
    );
  }
  t.match(await outcome(t, Buffer.from(lineOf({ ...report, later: "field" }))), { found: [9], troubles: [] }, "a field of a later version does no harm");
});

t.test("a file that is gone, and one that cannot be read", async (t) => {
  rmSync(root, { recursive: true, force: true });
  const troubles: Trouble[] = [];
  const spool = await openSpool(t, root, { troubles });
  await appendAll(spool, 0, 4);
  rmSync(file);
  t.same(await replayed(spool), []);
  t.match(troubles, [{ message: "a file of the spool is gone", details: { file, records: 4 } }]);
  t.equal(spool.records, 0);
  await appendAll(spool, 4, 6);
  rmSync(join(root, "0", "00000002.log"));
  mkdirSync(join(root, "0", "00000002.log"));
  await t.rejects(replayed(spool), { name: "PopupError", code: "unavailable", message: /EISDIR/, hint: /move .*00000002\.log away/ });
  rmSync(join(root, "0", "00000002.log"), { recursive: true });
  await appendAll(spool, 6, 7);
  t.same(numbers(await replayed(spool)), [6]);
});
