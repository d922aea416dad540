/** `npm run chaos`: strikes an engine of real processes with every fault, prints the table and, of all faults, writes RESULTS.md. */
import { Command } from "commander";
import { reasonOf } from "../../dist/errors.js";
import { seedOfRun } from "../helpers/random.js";
import { fakeTimeLibrary } from "./fake-clock.js";
import type { Fault } from "./fault.js";
import { CLUSTER_FAULTS } from "./faults/cluster.js";
import { FAULTS } from "./faults/index.js";
import { canMount } from "./mounts.js";
import { provenance, writeSection } from "./results.js";
import { holds, runFault } from "./run.js";
import { type Row, renderFindings, renderTable } from "./table.js";

const FINDINGS_SHOWN = 10;

const ALL = [...FAULTS, ...CLUSTER_FAULTS];

const program = new Command("chaos")
  .description("breaks a running engine in every way and judges what its customers got")
  .option("--only <faults>", `some faults, with commas between: ${ALL.map(({ name }) => name).join(",")}`)
  .option("--cluster", "those of a Redis Cluster, instead of those of one Redis", false)
  .option("--seed <n>", "draws the same customers again", String(seedOfRun()))
  .option("--seconds <s>", "load before a fault, hold within it, and load after it", "4")
  .option("--keep", "leave the folder of a run that is broken: history, store, logs", false)
  .parse();
const flags = program.opts<{ only?: string; cluster: boolean; seed: string; seconds: string; keep: boolean }>();
const only =
  flags.only
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "") ?? [];
const unknown = only.filter((name) => !ALL.some((fault) => fault.name === name));
const [seed, seconds] = [Number(flags.seed), Number(flags.seconds)];
if (unknown.length > 0) program.error(`there is no fault ${unknown.join(", ")}; there are ${ALL.map(({ name }) => name).join(", ")}`, { exitCode: 2 });
if (!Number.isInteger(seed) || !(seconds > 0)) program.error("--seed is a whole number, --seconds a number above 0", { exitCode: 2 });

const lacking = ({ needs }: Fault): string | undefined => {
  if (needs === "mount" && !canMount()) return "it mounts small disks, which takes root's rights";
  if (needs === "faketime" && fakeTimeLibrary() === undefined) return "it needs libfaketime: apt-get install faketime";
  return undefined;
};

// Ctrl-C reaches the processes of the run too; what they leave, mounts among it, is removed.
const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupt.abort());

const started = performance.now();
const rows: Row[] = [];
const asked = only.length > 0 ? ALL.filter(({ name }) => only.includes(name)) : flags.cluster ? CLUSTER_FAULTS : FAULTS;
for (const fault of asked) {
  const skipped = lacking(fault);
  process.stderr.write(`${fault.name}: ${skipped === undefined ? fault.title : `not run: ${skipped}`}\n`);
  const row: Row =
    skipped === undefined
      ? await runFault(fault, { seed, seconds, keep: flags.keep, signal: interrupt.signal }).then(
          (outcome) => ({ outcome }),
          (error: unknown) => ({ name: fault.name, title: fault.title, skipped: `it failed: ${reasonOf(error)}` }),
        )
      : { name: fault.name, title: fault.title, skipped };
  if (interrupt.signal.aborted) process.exit(1);
  rows.push(row);
  process.stderr.write(`  ${"outcome" in row ? (holds(row.outcome) ? "holds" : "BROKEN") : row.skipped}\n`);
}
const command = `npm run chaos${flags.cluster ? ":cluster" : ""} -- --seed ${seed} --seconds ${seconds}${only.length > 0 ? ` --only ${only.join(",")}` : ""}`;
const findings = renderFindings(rows, FINDINGS_SHOWN);
const text = [provenance(command, (performance.now() - started) / 1e3), renderTable(rows), ...(findings === "" ? [] : [findings])].join("\n\n");
process.stdout.write(`${text}\n`);
// Some faults are a question; the record is of all of them.
if (only.length === 0) writeSection(flags.cluster ? "Cluster" : "Faults", text);
process.exitCode = rows.every((row) => "outcome" in row && holds(row.outcome)) ? 0 : 1;
