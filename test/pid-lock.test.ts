/** The lock of a running process holds; one that is left behind goes to exactly one of those who want it. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { releaseLock, takeLock } from "../dist/pid-lock.js";
import { type Script, startScript } from "./helpers/script.js";
import { until } from "./helpers/until.js";

const dir = mkdtempSync(join(tmpdir(), "popup-lock-"));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const GONE = 2 ** 30;

/** A process that runs the script with `takeLock` and `dir`. */
const child = (script: string): Script => startScript(t, `import { takeLock } from "./dist/pid-lock.js"; const dir = ${JSON.stringify(dir)};\n${script}`);

t.test("taken, held, given up", (t) => {
  const lock = join(dir, "simple");
  t.equal(takeLock(lock), true);
  t.equal(takeLock(lock), false, "this process has it already");
  releaseLock(lock);
  t.equal(existsSync(lock), false);
  t.equal(takeLock(lock), true);
  releaseLock(lock);
  writeFileSync(lock, "1");
  releaseLock(lock);
  t.equal(existsSync(lock), true, "given up twice, it is another's");
  t.throws(() => takeLock(join(dir, "no-such-folder", "lock")), { code: "ENOENT" });
  t.end();
});

t.test("left-over locks", (t) => {
  const left: [string, string][] = [
    ["a pid that is gone", String(GONE)],
    ["this process' own pid, from before a restart", String(process.pid)],
    ["nothing, after a power failure", ""],
    ["zeros, after a power failure", "\0".repeat(20)],
    ["a pid that another process has now", `${process.ppid} 1 another-boot`],
  ];
  for (const [name, content] of left) {
    const lock = join(dir, name.replaceAll(" ", "-"));
    writeFileSync(lock, content);
    writeFileSync(`${lock}.breaking`, String(GONE));
    t.equal(takeLock(lock), true, `${name}, and whoever was about to replace it is gone as well`);
    t.same(
      readdirSync(dir).filter((file) => file.startsWith(name.replaceAll(" ", "-"))),
      [name.replaceAll(" ", "-")],
      "nothing else stays",
    );
  }
  writeFileSync(join(dir, "alive"), String(process.ppid));
  t.equal(takeLock(join(dir, "alive")), false, "one of a running process, without the time of its start, holds");
  t.end();
});

t.test("the lock of another process, until that is killed", async (t) => {
  const lock = join(dir, "other");
  const owner = child('console.log(Number(takeLock(dir + "/other"))); process.stdin.resume();');
  await until("the child has the lock", () => owner.lines().length === 1);
  t.equal(takeLock(lock), false);
  await owner.kill("SIGKILL");
  t.equal(takeLock(lock), true);
});

t.test("of processes that find a left-over lock in the same instant, one gets it", async (t) => {
  const rounds = 300;
  for (let round = 0; round < rounds; round++) writeFileSync(join(dir, `round-${round}`), String(GONE));
  // Each round begins at a time that all have agreed on, and they keep what they have until all are through.
  const start = Date.now() + 1_500;
  const racers = Array.from({ length: 3 }, () =>
    child(`
    for (let round = 0; round < ${rounds}; round++) {
      while (Date.now() < ${start} + 4 * round);
      if (takeLock(dir + "/round-" + round)) console.log(round);
    }
    console.log(-1);
    process.stdin.resume();`),
  );
  await until("all are through", () => racers.every((racer) => racer.lines().includes("-1")));
  const winners = new Map<number, number>();
  for (const round of racers.flatMap((racer) => racer.lines().map(Number))) winners.set(round, (winners.get(round) ?? 0) + 1);
  t.same(
    [...Array(rounds).keys()].filter((round) => winners.get(round) !== 1),
    [],
    "rounds with none or several",
  );
  await Promise.all(racers.map((racer) => racer.end()));
});
