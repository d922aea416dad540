/** Rounds of runs that alternate, and the ratio of two of them: what a case claims. */
import { setTimeout as delay } from "node:timers/promises";
import type { CaseContext } from "./case.js";
import { measure, problemsOf, type Run } from "./run.js";
import type { Subject } from "./servers.js";
import { type Ratio, ratioOf } from "./stats.js";
import { type Load, runWrk } from "./wrk.js";

export interface Side {
  readonly subject: Subject;
  readonly load: Load;
}

export interface Rounds {
  /** In each round one run of every side, in the order of the sides. */
  readonly rounds: readonly (readonly Run[])[];
  readonly problems: readonly string[];
}

/** Seconds that the servers are given to reach their speed before they are measured. */
const WARM_S = { quick: 1, full: 5 };
const ROUNDS = { quick: 3, full: 5 };
const RUN_S = { quick: 1, full: 8 };
/** What a run leaves behind (closing connections, a flush) is done by then. */
const REST_MS = 100;

/**
 * Runs the sides in turn, so that whatever the machine does in the meantime meets each of them.
 * @param quickRounds of a quick run, where a case has no time for the usual three
 */
export async function runRounds(context: CaseContext, sides: readonly Side[], quickRounds: number = ROUNDS.quick): Promise<Rounds> {
  const mode = context.quick ? "quick" : "full";
  const count = context.quick ? quickRounds : ROUNDS.full;
  let seed = 1;
  // All at once: this is about their speed later, not now.
  await Promise.all(sides.map(({ subject, load }) => runWrk(subject.url, load, WARM_S[mode], seed++)));
  const rounds: Run[][] = [];
  for (let round = 1; round <= count; round++) {
    const runs: Run[] = [];
    for (const { subject, load } of sides) {
      await delay(REST_MS);
      runs.push(await measure(subject, load, RUN_S[mode], seed++));
    }
    rounds.push(runs);
    context.note(`round ${round}: ${runs.map((run) => `${run.subject} ${run.rps.toFixed(0)}/s ${run.cpuUs.toFixed(1)} µs`).join(", ")}`);
  }
  return { rounds, problems: problemsOf(rounds.flat()) };
}

/** The second over the first, round by round. */
export function compare({ rounds }: Rounds, base: string, tested: string): { readonly rps: Ratio; readonly cpu: Ratio } {
  const pairs = (value: (run: Run) => number): [number, number][] => rounds.map((runs) => [valueOf(runs, base, value), valueOf(runs, tested, value)]);
  return { rps: ratioOf(pairs((run) => run.rps)), cpu: ratioOf(pairs((run) => run.cpuUs)) };
}

function valueOf(runs: readonly Run[], subject: string, value: (run: Run) => number): number {
  const run = runs.find((candidate) => candidate.subject === subject);
  if (!run) throw new Error(`no run of ${subject}`);
  return value(run);
}
