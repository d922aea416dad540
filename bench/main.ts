/** `npm run bench`: runs the cases, each in a process of its own, and writes results.json and, of all cases, RESULTS.md. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { PACKAGE_ROOT } from "../dist/version.js";
import { busyPercent, describeMachine } from "./machine.js";
import { boundText, verdict } from "./render.js";
import { allMeasured, type Outcome, renderResults } from "./results.js";
import { runCase } from "./run-case.js";
import { ensureTool } from "./tools.js";
import { updatePage } from "./update-page.js";

const CASES = [
  "get-50",
  "get-none-50",
  "get-none-1000",
  "post-impression",
  "mixed",
  "latency-half",
  "latency-busy",
  "memory",
  "worker",
  "queues",
  "report",
  "load",
  "lua",
  "growth",
];
const LOOK_MS = 100;

const program = new Command("bench")
  .description("measures the engine against a floor and writes bench/RESULTS.md")
  .option("--quick", "few and short runs, about two minutes in all", false)
  .option("--only <cases>", `some cases, with commas between: ${CASES.join(",")}`)
  .option("--update", "put these cases into bench/RESULTS.md, each with when and with what it was measured", false)
  .parse();
const { quick, only: asked, update } = program.opts<{ quick: boolean; only?: string; update: boolean }>();
const only =
  asked
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "") ?? [];
const unknown = only.filter((name) => !CASES.includes(name));
if (unknown.length > 0) program.error(`there is no case ${unknown.join(", ")}; there are ${CASES.join(", ")}`, { exitCode: 2 });
if (update && (quick || only.length === 0)) program.error("--update is for whole runs of --only some cases", { exitCode: 2 });
if (!existsSync("/proc/self/stat")) program.error("the benchmark reads CPU times from /proc, which this system does not have", { exitCode: 1 });
ensureTool("wrk", "wrk");

// Ctrl-C reaches the case too; both end, and nothing is written.
const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interrupt.abort());

const date = new Date().toISOString();
const machine = describeMachine();
const outcomes: Outcome[] = [];
for (const name of CASES.filter((candidate) => only.length === 0 || only.includes(candidate))) {
  process.stderr.write(`${name}\n`);
  const started = performance.now();
  const busyBefore = await busyPercent(LOOK_MS);
  const outcome: Outcome = { name, busyBefore, ...(await runCase(name, quick, interrupt.signal)), seconds: (performance.now() - started) / 1e3 };
  if (interrupt.signal.aborted) process.exit(1);
  outcomes.push(outcome);
  for (const bound of outcome.result?.bounds ?? [])
    process.stdout.write(`${name}: ${plain(`${boundText(bound)}: ${verdict(bound, outcome.result?.invalid.length === 0)}`)}\n`);
  for (const problem of outcome.result?.invalid ?? []) process.stdout.write(`${name}: INVALID: ${problem}\n`);
  if (outcome.failure !== undefined) process.stdout.write(`${name}: FAILED: ${outcome.failure}\n`);
}
const results = { date, quick, only, machine, outcomes };
writeFileSync(join(PACKAGE_ROOT, "bench", "results.json"), `${JSON.stringify(results, null, 1)}\n`);
const page = renderResults(results);
const path = join(PACKAGE_ROOT, "bench", "RESULTS.md");
// Some cases are a question; the record is of all of them.
const recorded = only.length === 0 || update;
if (update) {
  const busiest = Math.max(...outcomes.map(({ busyBefore }) => busyBefore));
  const note = `Measured apart, ${date}, with popup-engine ${machine.versions["popup-engine"] ?? ""}; right before it others used at most ${Math.round(busiest)} % of the cores.`;
  // What failed takes the place of no figures.
  const measured = renderResults({ ...results, outcomes: outcomes.filter(({ result }) => result !== undefined) });
  writeFileSync(path, updatePage(readFileSync(path, "utf8"), measured, note, CASES));
} else if (recorded) writeFileSync(path, page);
else process.stdout.write(`\n${page}`);
process.stderr.write(`written: ${recorded ? "bench/RESULTS.md and " : ""}bench/results.json\n`);
process.exitCode = allMeasured(outcomes) ? 0 : 1;

function plain(markdown: string): string {
  return markdown.replaceAll("**", "");
}
