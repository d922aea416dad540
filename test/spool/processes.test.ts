/** Several processes, and processes that are killed: what was accepted is replayed, in order, by whoever is left. */
import "../helpers/uncovered.js";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import t from "tap";
import type { SpooledReport } from "../../dist/spool/spool.js";
import { type Script, startScript } from "../helpers/script.js";
import { appendAll, numbers, openSpool, range, replayed, reportNo, spoolFolder, type Trouble } from "../helpers/spool.js";
import { until } from "../helpers/until.js";

/** A process with an open spool; `appendNext()` appends report n, n + 1, … and prints each number when it is on the disk. */
function appender(t: Test, root: string, from: number, then: string): Script {
  return startScript(
    t,
    `
    import { Spool } from "./dist/spool/spool.js";
    import { writeSync } from "node:fs";
    const spool = await Spool.open(${JSON.stringify(root)}, { maxBytes: 1e9, onTrouble: console.error });
    let n = ${from};
    const appendNext = () => {
      const impressionId = String(n++);
      spool.append({ ...${JSON.stringify(reportNo(0))}, impressionId }, (outcome) => {
        if (outcome !== true) process.exit(9);
        // At once: what is printed is what an app was told.
        writeSync(1, impressionId + "\\n");
        if (n > ${from} + 50) appendNext();
      });
    };
    ${then}`,
  );
}

const LOAD = "for (let i = 0; i < 100; i++) appendNext();";
/** Fifty and no more; the process stays, with its spool open. */
const FIFTY = "for (let i = 0; i < 50; i++) appendNext(); process.stdin.resume();";
const printed = (script: Script): number[] => script.lines().map(Number);

/** The accepted ones are all there, and what is there is in order. */
function accepted(t: Test, reports: readonly SpooledReport[], told: readonly number[], from: number, name: string): void {
  const found = numbers(reports).filter((n) => n >= from && n < from + 1_000_000);
  t.same(found, range(from, from + found.length), `${name}: in order, without gaps`);
  const there = new Set(found);
  t.same(
    told.filter((n) => !there.has(n)),
    [],
    `${name}: all ${told.length} that were accepted, of ${found.length}`,
  );
}

t.test("kill -9 under load, again and again", async (t) => {
  const root = spoolFolder(t);
  const told: number[][] = [];
  for (let round = 0; round < 5; round++) {
    const script = appender(t, root, round * 1_000_000, LOAD);
    // Between two syncs as well as anywhere else in one.
    await until("it has accepted some", () => script.lines().length > 200 + 37 * round);
    await script.kill("SIGKILL");
    told.push(printed(script));
  }
  t.ok(readdirSync(join(root, "0")).filter((name) => name.endsWith(".log")).length >= 5, "each has left its files in the same place");
  const troubles: Trouble[] = [];
  const reports = await replayed(await openSpool(t, root, { troubles }), 128);
  for (const [round, numbersTold] of told.entries()) accepted(t, reports, numbersTold, round * 1_000_000, `round ${round}`);
  t.ok(
    troubles.every(({ message }) => message.startsWith("the last record")),
    JSON.stringify(troubles),
  );
});

t.test("killed in the middle of a replay: the next process goes on where it was", async (t) => {
  const root = spoolFolder(t);
  const first = await openSpool(t, root);
  await appendAll(first, 0, 1_000);
  await first.close();
  const script = startScript(
    t,
    `
    import { Spool } from "./dist/spool/spool.js";
    import { writeSync } from "node:fs";
    const spool = await Spool.open(${JSON.stringify(root)}, { maxBytes: 1e9, onTrouble: console.error });
    await spool.replay(10, async (batch) => {
      if (batch[0].impressionId === "500") await new Promise(() => setInterval(() => {}, 1000));
      writeSync(1, batch.map((report) => report.impressionId + "\\n").join(""));
    });`,
  );
  await until("half is replayed", () => script.lines().length === 500);
  await script.kill("SIGKILL");
  const rest = numbers(await replayed(await openSpool(t, root)));
  t.same(rest, range(1_000 - rest.length, 1_000));
  t.ok(rest.length === 500 || rest.length === 510, `${rest.length}: a batch comes twice when its position was not written`);
});

t.test("two processes have a folder each; one that stays takes over from one that is killed", async (t) => {
  const root = spoolFolder(t);
  const mine = await openSpool(t, root);
  const first = appender(t, root, 1_000_000, FIFTY);
  const second = appender(t, root, 2_000_000, FIFTY);
  await until("both have accepted theirs", () => first.lines().length === 50 && second.lines().length === 50);
  t.same(readdirSync(root).sort(), ["0", "1", "2"]);
  await appendAll(mine, 0, 10);
  t.same(numbers(await replayed(mine)), range(0, 10), "what belongs to running processes is theirs");
  await first.kill("SIGKILL");
  await appendAll(mine, 10, 20);
  const reports = await replayed(mine);
  accepted(t, reports, printed(first), 1_000_000, "the killed one's");
  t.equal(reports.length, 60);
  t.equal(["1", "2"].filter((slot) => existsSync(join(root, slot, "lock"))).length, 1, "its folder is free again");
  await mine.close();
  await second.kill("SIGKILL");
  const next = await openSpool(t, root);
  t.equal(next.records, 50, "a process that starts takes over what it finds");
  accepted(t, await replayed(next), printed(second), 2_000_000, "the second's");
});

t.test("processes that start at once never share a folder", async (t) => {
  const root = spoolFolder(t);
  // Left-overs, which each of them would like to take over.
  for (let round = 0; round < 2; round++) {
    const scripts = range(0, 4).map((n) => appender(t, root, (4 * round + n) * 1_000_000, FIFTY));
    await until("all have accepted theirs", () => scripts.every((script) => script.lines().length === 50));
    await Promise.all(scripts.map((script) => script.kill("SIGKILL")));
    t.same(
      scripts.map((script) => script.errors()),
      ["", "", "", ""],
    );
  }
  const reports = await replayed(await openSpool(t, root));
  t.equal(reports.length, 2 * 4 * 50, "each once");
  for (let n = 0; n < 8; n++) accepted(t, reports, range(n * 1_000_000, n * 1_000_000 + 50), n * 1_000_000, `process ${n}`);
});
