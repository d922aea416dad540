/** What the floor's server and the one who fills its Redis agree on. */
import type { Redis } from "ioredis";
import { inTurns } from "./turns.js";

const FLOOR_USERS = 1_000_000;
/** Values in one MSET, and MSETs under way. */
const SET_TOGETHER = 1_000;
const PIPELINE = 8;

export const floorKey = (userId: string): string => `floor:${userId}`;

/** A short value for every user. */
export function prepareFloor(redis: Redis): Promise<void> {
  return inTurns(FLOOR_USERS / SET_TOGETHER, PIPELINE, (batch) => {
    const pairs: string[] = [];
    for (let user = batch * SET_TOGETHER; user < (batch + 1) * SET_TOGETHER; user++) pairs.push(floorKey(String(user)), `value-${user}`);
    return redis.mset(pairs);
  });
}
