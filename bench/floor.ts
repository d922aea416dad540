/** What the floor's server and the one who fills its Redis agree on. */
import type { Redis } from "ioredis";

export const FLOOR_USERS = 1_000_000;
const SET_TOGETHER = 1_000;

export const floorKey = (userId: string): string => `floor:${userId}`;

/** A short value for every user. */
export async function prepareFloor(redis: Redis): Promise<void> {
  for (let from = 0; from < FLOOR_USERS; from += SET_TOGETHER) {
    const pairs: string[] = [];
    for (let user = from; user < from + SET_TOGETHER; user++) pairs.push(floorKey(String(user)), `value-${user}`);
    await redis.mset(pairs);
  }
}
