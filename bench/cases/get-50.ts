/** GET with 50 active campaigns, any user. */
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
    title: "GET, 50 active campaigns",
    about:
      "10 campaigns for all, 20 for a segment each (20 % of 1,000,000 users), 20 for a list of their own (5 %), priorities at random, caps 1/day and 3/total; random users of the million.",
    floor,
    engine,
    load: { kind: "get", first: 0, users: USERS, campaigns: 50 },
    rps: { limit: 0.8, aim: 1 },
    cpu: { limit: 1.1, aim: 0.9 },
  });
}
