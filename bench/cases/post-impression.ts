/** POST of impressions, over the floor's GET. */
import type { CaseContext, CaseResult } from "../case.js";
import { overFloor } from "../over-floor.js";
import { fillMixed } from "../population.js";
import { startEngine, startFloor } from "../servers.js";

const USERS = 1_000_000;

export async function run(context: CaseContext): Promise<CaseResult> {
  const [floor, engine] = await Promise.all([
    startFloor(context),
    startEngine(context, "engine", (store) => fillMixed(store, { campaigns: 50, users: USERS, seed: 50 })),
  ]);
  return overFloor(context, {
    title: "POST impression",
    about:
      "Deduplication, cap check, count and event, for a random one of 50 campaigns with caps 1/day and 3/total, random users of a million, a fresh impression id each. The floor is its GET, as everywhere.",
    floor,
    engine,
    load: { kind: "post", first: 0, users: USERS, campaigns: 50 },
    floorLoad: { kind: "get", first: 0, users: USERS, campaigns: 50 },
    rps: { limit: 0.5 },
    cpu: { limit: 2 },
    quickRounds: 2,
  });
}
