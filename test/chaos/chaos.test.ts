/** The chaos suite in short: a few faults for real, little load. `npm run chaos` runs all of them. */
import t from "tap";
import { seedOfRun } from "../helpers/random.js";
import { FAULTS } from "./faults/index.js";
import { runFault } from "./run.js";
import { renderFindings } from "./table.js";

const SHORT = ["redis-kill", "redis-frozen", "api-kill", "flushall"];
const MOST_FINDINGS = 20;

for (const name of SHORT) {
  t.test(name, async (t) => {
    const fault = FAULTS.find((candidate) => candidate.name === name);
    if (!fault) throw new Error(`there is no fault ${name}`);
    const seed = seedOfRun();
    const outcome = await runFault(fault, { seed, seconds: 1, keep: false });
    const { requests, accepted, spooled, degraded } = outcome.verdict;
    t.comment(`seed ${seed}: ${requests} requests, ${accepted} reports accepted, ${spooled} answered from the spool; degraded ${JSON.stringify(degraded)}`);
    t.ok(accepted > 0, "reports were accepted");
    t.equal(renderFindings([{ outcome }], MOST_FINDINGS), "", "accepted = stored = counted, no cap exceeded, every request answered");
  });
}
