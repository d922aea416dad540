/** `npm run bench`: runs the cases, each in a process of its own, and writes RESULTS.md and results.json. */
import { fork } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { PACKAGE_ROOT } from "../dist/version.js";
import type { CaseResult } from "./case.js";
import { boundText, verdict } from "./render.js";
import { allMeasured, renderResults, type Outcome } from "./results.js";
import { busyPercent, describeMachine } from "./machine.js";
import { ensureTool } from "./tools.js";

const CASES = ["get-50", "get-none-50", "get-none-1000", "post-impression", "mixed", "latency-half", "latency-busy", "memory", "worker", "lua", "growth"];
const CASE_PROCESS = fileURLToPath(new URL("./case-process.js", import.meta.url));
/** A case that has not ended by then hangs. */
const MOST_MS = { quick: 120_000, full: 900_000 };
/** After SIGTERM a case stops its servers; this long it may take. */
const END_MS = 20_000;
const LOOK_MS = 300;

const program = new Command("bench")
  .description("measures the engine against a floor and writes bench/RESULTS.md")
  .option("--quick", "few and short runs, under two minutes in all", false)
  .option("--only <cases>", `some cases, with commas between: ${CASES.join(",")}`)
  .parse();
const { quick, only: asked } = program.opts<{ quick: boolean; only?: string }>();
const only = asked?.split(",").map((name) => name.trim()).filter((name) => name !== "") ?? [];
const unknown = only.filter((name) => !CASES.includes(name));
if (unknown.length > 0) program.error(`there is no case ${unknown.join(", ")}; there are ${CASES.join(", ")}`, { exitCode: 2 });
if (!existsSync("/proc/self/stat")) program.error("the benchmark reads CPU times from /proc, which this system does not have", { exitCode: 1 });
ensureTool("wrk", "wrk");

const date = new Date().toISOString();
const machine = describeMachine();
const outcomes: Outcome[] = [];
for (const name of CASES.filter((candidate) => only.length === 0 || only.includes(candidate))) {
  process.stderr.write(`${name}\n`);
  const busyBefore = await busyPercent(LOOK_MS);
  const outcome = await runCase(name, busyBefore);
  outcomes.push(outcome);
  for (const bound of outcome.result?.bounds ?? []) process.stdout.write(`${name}: ${plain(`${boundText(bound)}: ${verdict(bound, outcome.result?.invalid.length === 0)}`)}\n`);
  for (const problem of outcome.result?.invalid ?? []) process.stdout.write(`${name}: INVALID: ${problem}\n`);
  if (outcome.failure !== undefined) process.stdout.write(`${name}: FAILED: ${outcome.failure}\n`);
}
const results = { date, quick, only, machine, outcomes };
writeFileSync(join(PACKAGE_ROOT, "bench", "RESULTS.md"), renderResults(results));
writeFileSync(join(PACKAGE_ROOT, "bench", "results.json"), `${JSON.stringify(results, null, 1)}\n`);
process.stderr.write("written: bench/RESULTS.md and bench/results.json\n");
process.exitCode = allMeasured(outcomes) ? 0 : 1;

function runCase(name: string, busyBefore: number): Promise<Outcome> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = fork(CASE_PROCESS, [name, ...(quick ? ["--quick"] : [])], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    let result: CaseResult | undefined;
    let failure: string | undefined;
    child.on("message", (message) => (result = message as CaseResult));
    const most = MOST_MS[quick ? "quick" : "full"];
    let killing: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      failure = `it did not end within ${most / 1e3} s`;
      child.kill("SIGTERM");
      killing = setTimeout(() => child.kill("SIGKILL"), END_MS);
    }, most);
    child.once("exit", (code) => {
      clearTimeout(timer);
      clearTimeout(killing);
      const seconds = (performance.now() - started) / 1e3;
      if (result && failure === undefined) resolve({ name, seconds, busyBefore, result });
      else resolve({ name, seconds, busyBefore, failure: failure ?? `its process ended with ${String(code)}; its messages are above` });
    });
  });
}

function plain(markdown: string): string {
  return markdown.replaceAll("**", "");
}
