/** GETs and impressions together, with worker and sync at work. */

import type { CaseContext, CaseResult } from "../case.js";
import { startPopup } from "../commands.js";
import { overFloor } from "../over-floor.js";
import { fillMixed } from "../population.js";
import { pidOf, startEngine, startFloor } from "../servers.js";

const USERS = 1_000_000;

export async function run(context: CaseContext): Promise<CaseResult> {
  const [floor, engine] = await Promise.all([
    startFloor(context),
    startEngine(context, "engine", (store) => fillMixed(store, { campaigns: 50, users: USERS, seed: 50 })),
  ]);
  const beside = [
    ["worker", ["worker"]],
    ["sync", ["sync", "--watch"]],
  ] as const;
  const processes = beside.map(([name, args]) => ({ name, pid: pidOf(startPopup(context, engine.env, args)) }));
  const result = await overFloor(context, {
    title: "10 GET : 3 POST impression, with worker and sync",
    about:
      "The campaigns of get-50. `popup worker` carries the events into the store and `popup sync --watch` watches it meanwhile, as processes of their own on the same cores; their CPU time is shown and not part of API + Redis.",
    floor,
    engine: { ...engine, beside: processes },
    load: { kind: "mixed", first: 0, users: USERS, campaigns: 50 },
    floorLoad: { kind: "get", first: 0, users: USERS, campaigns: 50 },
    rps: { limit: 0.6 },
    cpu: { limit: 1.5 },
    quickRounds: 2,
  });
  const lag = await workerLag(engine.redis.xinfo("GROUPS", engine.keys.stream));
  return { ...result, remarks: [`Events that the worker had not read when the last run ended: ${lag}.`] };
}

/** From `XINFO GROUPS`, which names the fields of each group in turn with their values. */
async function workerLag(groups: Promise<unknown>): Promise<string> {
  const [group = []] = (await groups) as unknown[][];
  const at = group.indexOf("lag");
  return at < 0 ? "unknown" : Number(group[at + 1]).toLocaleString("en-US");
}
