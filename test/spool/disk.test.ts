/** A disk that is full or slow, and a spool that is large: refusals at once, nothing lost, memory flat. */
import "../helpers/uncovered.js";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Test } from "tap";
import t from "tap";
import { lineOf } from "../../dist/spool/record.js";
import { startScript } from "../helpers/script.js";
import { append, appendAll, numbers, type Outcome, openSpool, range, replayed, reportNo, spoolFolder, type Trouble } from "../helpers/spool.js";
import { until } from "../helpers/until.js";

/** In 1,024 bytes. Without what the test runner adds to a process: that ends it at the signal for a file that is too large, which Node ignores. */
const LIMITED = 'unset NODE_OPTIONS NODE_V8_COVERAGE; ulimit -f 64; exec "$0" "$@"';
const REFUSED = "the spool cannot be written";
const logs = (dir: string): string[] => readdirSync(dir).filter((name) => name.endsWith(".log"));

/** A file system of 1 MB; undefined where it cannot be had, which only a machine of one's own is excused for. */
function smallDisk(t: Test): string | undefined {
  const dir = dirname(spoolFolder(t));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", dir], { stdio: "ignore" });
  } catch {
    if (process.env.CI !== undefined) t.fail("mounting a tmpfs needs root");
    return undefined;
  }
  t.teardown(() => execFileSync("umount", [dir]));
  return join(dir, "spool");
}

t.test("a full disk", async (t) => {
  const root = smallDisk(t);
  if (root === undefined) return t.comment("skipped: mounting a tmpfs needs root");
  const troubles: Trouble[] = [];
  const spool = await openSpool(t, root, { troubles });
  const outcomes: Outcome[] = [];
  while (outcomes.at(-1) !== "failed") outcomes.push(...(await appendAll(spool, outcomes.length, outcomes.length + 500)));
  const kept = outcomes.filter((outcome) => outcome === true).length;
  t.ok(kept > 3_000, `${kept} had room`);
  t.same(outcomes, [...Array(kept).fill(true), ...Array(500).fill("failed")], "then a whole group had none");
  t.match(troubles, [{ message: REFUSED, details: { cause: /ENOSPC/ } }]);
  t.equal(statSync(join(root, "0", "00000001.log")).size, spool.bytes, "what was written of it is cut off");
  let answer: unknown;
  spool.append(reportNo(0), (outcome) => (answer = outcome));
  t.equal(answer, "failed", "and the next is refused at once");
  t.equal(troubles.length, 1, "told once");

  let expected = 0;
  await t.rejects(
    spool.replay(100, async (batch) => {
      if (expected === 1_000) throw new Error("not now");
      for (const n of numbers(batch)) t.equal(n, expected++);
    }),
    { message: "not now" },
    "it can be replayed all the same",
  );
  t.same(numbers(await replayed(spool)), range(1_000, kept));
  await until("it is tried again, and there is room", async () => (await append(spool, reportNo(kept))) === true);
  t.same(numbers(await replayed(spool)), [kept]);
  t.same(logs(join(root, "0")), []);
  t.same(troubles.filter(({ message }) => message === REFUSED).length, 1, "told once for the whole incident");
});

t.test("a limit on the size of a file: the next file goes on", async (t) => {
  const root = spoolFolder(t);
  const script = startScript(
    t,
    `
    import { Spool } from "./dist/spool/spool.js";
    import { setTimeout as delay } from "node:timers/promises";
    const spool = await Spool.open(${JSON.stringify(root)}, { maxBytes: 1e9, onTrouble: (message, { cause }) => console.error(message, cause) });
    let n = 0, files = 0;
    const append = () => new Promise((resolve) => spool.append({ ...${JSON.stringify(reportNo(0))}, impressionId: String(n) }, resolve));
    while (files < 2) {
      if (await append() !== true) {
        files++;
        while (await append() !== true) await delay(50);
      }
      console.log(n++);
    }
    process.exit(0);`,
    { command: ["bash", "-c", LIMITED, process.execPath] },
  );
  t.equal(await script.end(), 0, script.errors());
  t.match(script.errors(), new RegExp(`^(${REFUSED} EFBIG: .*\n){2}$`));
  const printed = script.lines().map(Number);
  t.ok(logs(join(root, "0")).length >= 2);
  const found = numbers(await replayed(await openSpool(t, root)));
  t.same(found, printed, "what was accepted, in order, and nothing that was refused");
  t.ok(found.length > 800, `${found.length}`);
});

t.test("what waits for the disk is bounded, whatever the spool may hold", async (t) => {
  const spool = await openSpool(t, spoolFolder(t), { maxBytes: 1e9 });
  // One turn of the event loop, in which the disk does nothing.
  const outcomes = await appendAll(spool, 0, 100_000);
  const kept = outcomes.filter((outcome) => outcome === true).length;
  t.ok(outcomes.every((outcome, n) => outcome === (n < kept ? true : "full")));
  t.ok(kept > 40_000 && kept < 70_000, `${kept}, of some 130 to 160 bytes each`);
  t.equal(await append(spool, reportNo(0)), true, "and when they are written there is room again");
});

t.test("a spool that is far larger than the memory", async (t) => {
  const root = spoolFolder(t);
  mkdirSync(join(root, "0"), { recursive: true });
  const files = 6;
  const each = 50_000;
  for (let file = 0; file < files; file++) {
    writeFileSync(
      join(root, "0", `0000000${file + 1}.log`),
      range(file * each, (file + 1) * each)
        .map((n) => lineOf(reportNo(n)))
        .join(""),
    );
  }
  // 300,000 reports as objects take some 100 MB.
  const script = startScript(
    t,
    `
    import { Spool } from "./dist/spool/spool.js";
    const spool = await Spool.open(${JSON.stringify(root)}, { maxBytes: 1e9, onTrouble: console.error });
    console.log(spool.records);
    let expected = 0, buffers = 0;
    await spool.replay(128, async (batch) => {
      for (const report of batch) if (report.impressionId !== String(expected++)) throw new Error("not in order");
      if (expected % 16384 === 0) { globalThis.gc(); buffers = Math.max(buffers, process.memoryUsage().arrayBuffers); }
    });
    console.log(expected);
    console.log(Math.round(buffers / 1024));
    process.exit(0);`,
    { nodeArgs: ["--max-old-space-size=24", "--expose-gc"] },
  );
  t.equal(await script.end(), 0, script.errors());
  const [records, count, kilobytes = Infinity] = script.lines().map(Number);
  t.same([records, count], [files * each, files * each]);
  t.ok(kilobytes < 4_096, `${kilobytes} KB of buffers`);
});
