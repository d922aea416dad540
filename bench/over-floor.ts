/** The cases that compare one load on the engine with the floor. */
import type { Bound, CaseContext, CaseResult } from "./case.js";
import { comparePairs, runsTable } from "./pairs.js";
import type { Subject } from "./servers.js";
import type { Ratio } from "./stats.js";
import type { Load } from "./wrk.js";

interface Limit { readonly limit: number; readonly aim?: number }

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
}

export async function overFloor(context: CaseContext, { title, about, floor, engine, load, floorLoad = load, rps, cpu }: OverFloor): Promise<CaseResult> {
  const pairs = await comparePairs(context, { subject: floor, load: floorLoad }, { subject: engine, load });
  return {
    title, about,
    tables: [runsTable("Medians", pairs.runs.flat())],
    bounds: [ratioBound("requests/s over the floor", pairs.rps, "≥", rps), ratioBound("CPU per request over the floor", pairs.cpu, "≤", cpu)],
    remarks: [], invalid: pairs.problems, runs: pairs.runs,
  };
}

export function ratioBound(name: string, { median, min, max }: Ratio, relation: "≥" | "≤", { limit, aim }: Limit): Bound {
  return { name, value: median, range: [min, max], relation, limit, ...(aim === undefined ? {} : { aim }) };
}
