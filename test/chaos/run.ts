/** One fault from the first customer to the verdict. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../helpers/until.js";
import { check, type Verdict } from "./check/checker.js";
import { longestGapMs } from "./check/gap.js";
import { startLoad } from "./client/load.js";
import type { Fault } from "./fault.js";
import { MemoryWatch } from "./memory.js";
import { readLateDecisions } from "./metrics.js";
import { everyUser, rulesOf } from "./population.js";
import { readAll } from "./reading.js";
import { untilWell } from "./well.js";
import { openWorld, type World, withStore } from "./world.js";

export interface RunOptions {
  readonly seed: number;
  /** The load before the fault, a hold within it, and the load after it, s each. */
  readonly seconds: number;
  /** Leaves the folder of a run that does not hold, and says where it is. */
  readonly keep: boolean;
  /** Ends the run, with everything that it has started. */
  readonly signal?: AbortSignal;
}

export interface Outcome {
  readonly fault: Pick<Fault, "name" | "title">;
  readonly verdict: Verdict;
  /** What the system itself still complained of, long after; undefined when it was well again. */
  readonly trouble: string | undefined;
  /** From the last request until the system said that it was well, s. */
  readonly settledS: number;
  /** The longest that the client did not run: so much of the worst GET may be its own, ms. */
  readonly stallMs: number;
  /** Decisions that took more than 50 ms by the engine's own clock, of the API processes that run at the end; undefined where it does not tell. */
  readonly lateDecisions: number | undefined;
  /** Memory of the engine's processes: at the end, and at its highest, over what it was before the fault, bytes. */
  readonly grownBytes: number;
  readonly peakBytes: number;
  /** The longest time in which the users of some partition asked in vain for a decision, ms. */
  readonly gapMs: number;
  /** What the fault has seen. */
  readonly notes: readonly string[];
  /** The folder that was kept. */
  readonly folder: string | undefined;
}

/** How long reports are sent again, and the system is waited for, after the load. */
const PATIENCE_MS = 60_000;
/** Requests in each of those times at least, however slow the machine is. */
const FEWEST = 100;
const HABITS = { thinkMs: 250, twoDevices: 0.1, doubled: 0.1, echoed: 0.1 };

/** True when everything that was promised was kept. */
export const holds = ({ verdict, trouble }: Outcome): boolean => verdict.holds && trouble === undefined;

export async function runFault(fault: Fault, options: RunOptions): Promise<Outcome> {
  const world = await openWorld(fault.plan ?? {}, options.seed);
  let outcome: Outcome | undefined;
  try {
    outcome = await strikeAndCheck(world, fault, options);
    return outcome;
  } finally {
    await world.close(options.keep && (outcome === undefined || outcome.folder !== undefined));
  }
}

async function strikeAndCheck(world: World, fault: Fault, { seed, seconds, keep, signal }: RunOptions): Promise<Outcome> {
  await untilWellOrThrow(world);
  const load = startLoad({
    url: world.serve.url,
    file: join(world.dir, "history.jsonl"),
    seed,
    habits: { ...HABITS, ...(fault.twoDevices === undefined ? {} : { twoDevices: fault.twoDevices }) },
  });
  const memory = new MemoryWatch((role) => world.serve.pids(role));
  try {
    const hold = async (): Promise<void> => {
      const from = load.ended();
      await delay(seconds * 1e3, undefined, signal === undefined ? {} : { signal });
      await until("customers come and go", () => load.ended() > from + FEWEST);
    };
    await until("the customers come", () => load.ended() > 0);
    await hold();
    const before = memory.takePeak();
    await fault.strike(world, hold, load);
    await hold();
    const { entries, stallMs } = await load.finish(PATIENCE_MS);
    const { trouble, seconds: settledS } = await untilWell(world, PATIENCE_MS);
    const peak = memory.takePeak();
    const now = memory.now();
    const lateDecisions = await readLateDecisions(world.serve.adminUrl);
    const reading = await withStore(world.storePath, (store) => world.look((redis) => readAll(store, redis, everyUser(), world.keysOf)));
    const verdict = check({
      entries,
      reading,
      rules: rulesOf(fault.plan?.reserveS ?? 0),
      destroyed: world.destroyed,
      forgotten: fault.forgets === true,
      breaksConnections: fault.breaksConnections === true,
      movesClock: fault.plan?.fakedClock === true,
    });
    const fine = verdict.holds && trouble === undefined;
    return {
      fault: { name: fault.name, title: fault.title },
      verdict,
      trouble,
      settledS,
      stallMs,
      lateDecisions,
      gapMs: longestGapMs(entries, (user) => world.keysOf(user).stream),
      notes: world.notes,
      grownBytes: now - before,
      peakBytes: peak - before,
      folder: keep && !fine ? world.dir : undefined,
    };
  } finally {
    memory.stop();
    load.kill();
  }
}

async function untilWellOrThrow(world: World): Promise<void> {
  const { trouble } = await untilWell(world, PATIENCE_MS);
  if (trouble !== undefined) throw new Error(`the engine was not well before the fault: ${trouble}`);
}
