/** The cases that compare one load on the engine with the floor. */
import type { Bound, CaseContext, CaseResult } from "./case.js";
import { compare, runRounds } from "./rounds.js";
import { runsTable } from "./run.js";
import type { Subject } from "./servers.js";
import type { Ratio } from "./stats.js";
import type { Load } from "./wrk.js";

export interface Limit {
  readonly limit: number;
  readonly aim?: number;
}

export interface OverFloor {
  readonly title: string;
  readonly about: string;
  readonly floor: Subject;
  readonly engine: Subject;
  readonly load: Load;
  /** Where the floor cannot take the engine's. */
  readonly floorLoad?: Load;
  readonly rps: Limit;
  readonly cpu: Limit;
  /** Rounds of a quick run, where the usual three take too long. */
  readonly quickRounds?: number;
}

export async function overFloor(
  context: CaseContext,
  { title, about, floor, engine, load, floorLoad = load, rps, cpu, quickRounds }: OverFloor,
): Promise<CaseResult> {
  const rounds = await runRounds(
    context,
    [
      { subject: floor, load: floorLoad },
      { subject: engine, load },
    ],
    quickRounds,
  );
  const ratios = compare(rounds, floor.name, engine.name);
  return {
    title,
    about,
    tables: [runsTable(rounds.rounds.flat())],
    bounds: [ratioBound("requests/s over the floor", ratios.rps, "≥", rps), ratioBound("CPU per request over the floor", ratios.cpu, "≤", cpu)],
    remarks: [],
    invalid: rounds.problems,
    runs: rounds.rounds,
  };
}

export function ratioBound(name: string, { median, min, max }: Ratio, relation: "≥" | "≤", { limit, aim }: Limit): Bound {
  return { name, value: median, range: [min, max], relation, limit, ...(aim === undefined ? {} : { aim }) };
}
