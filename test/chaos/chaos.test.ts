/** The chaos suite in short: three faults for real, one after another on the same engine. `npm run chaos` runs all of them. */
import "../helpers/uncovered.js";
import t from "tap";
import { seedOfRun } from "../helpers/random.js";
import type { Fault } from "./fault.js";
import { FAULTS } from "./faults/index.js";
import { runFault } from "./run.js";
import { renderFindings } from "./table.js";

/**
 * A Redis that is away and comes back, one that hangs, and one whose data is gone. None ends API processes: what only Redis and
 * they know of would be lost with both, and on a busy machine nobody can say when they are not alone any more.
 */
const NAMES = ["redis-kill", "redis-frozen", "flushall"];
const MOST_FINDINGS = 20;

t.test(NAMES.join(", "), async (t) => {
  const seed = seedOfRun();
  const outcome = await runFault(oneAfterAnother(NAMES), { seed, seconds: 1, keep: false });
  const { requests, accepted, spooled, degraded } = outcome.verdict;
  t.comment(`seed ${seed}: ${requests} requests, ${accepted} reports accepted, ${spooled} answered from the spool; degraded ${JSON.stringify(degraded)}`);
  t.ok(accepted > 0, "reports were accepted");
  t.equal(renderFindings([{ outcome }], MOST_FINDINGS), "", "accepted = stored = counted, no cap exceeded, every request answered");
});

function oneAfterAnother(names: readonly string[]): Fault {
  const faults = FAULTS.filter(({ name }) => names.includes(name));
  if (faults.length !== names.length || faults.some(({ plan }) => plan !== undefined))
    throw new Error(`these faults cannot share an engine: ${names.join(", ")}`);
  return {
    name: names.join(", "),
    title: names.join(", "),
    breaksConnections: faults.some(({ breaksConnections }) => breaksConnections === true),
    strike: async (world, hold, load) => {
      for (const [i, fault] of faults.entries()) {
        // What one fault broke is whole again when the next one strikes.
        if (i > 0) await hold();
        await fault.strike(world, hold, load);
      }
    },
  };
}
