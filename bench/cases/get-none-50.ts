/** GET of users for whom none of 50 campaigns is meant. */
import type { CaseContext, CaseResult } from "../case.js";
import { overFloor } from "../over-floor.js";
import { fillTargeted } from "../population.js";
import { startEngine, startFloor } from "../servers.js";

const USERS = 1_000_000;

export async function run(context: CaseContext): Promise<CaseResult> {
  const [floor, engine] = await Promise.all([
    startFloor(context),
    startEngine(context, "engine", (store) => fillTargeted(store, { campaigns: 50, users: USERS, seed: 51 })),
  ]);
  return overFloor(context, {
    title: "GET, in none of 50 targeted campaigns",
    about:
      "20 campaigns for a segment each (20 % of the first million users), 20 for a list of their own (5 %), 10 for either of two of the segments; the users who ask are of the second million, so every campaign is looked at and none is meant for them.",
    floor,
    engine,
    load: { kind: "get", first: USERS, users: USERS, campaigns: 50 },
    floorLoad: { kind: "get", first: 0, users: USERS, campaigns: 50 },
    rps: { limit: 0.8 },
    cpu: { limit: 1.1 },
  });
}
