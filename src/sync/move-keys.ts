/** The keys of users who move to other partitions, and those that are nobody's after it. */

import { inSlices } from "../each.js";
import { reasonOf } from "../errors.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { scan } from "../redis/scan.js";

/** Records moved, and keys removed, at the same time. */
const TOGETHER = 500;
const TELL_EVERY = 50_000;

interface Home {
  readonly from: number;
  readonly to: number;
}

/**
 * Moves each record to its user's new partition. The old one goes when the new one stands, so that it may be stopped at any point and
 * begun again; nothing is counted meanwhile, so the old one is right as long as it is there.
 * @param tell told now and then how many were moved
 * @returns how many were moved, and the users whose record could not be read
 */
export async function moveRecords(
  redis: RedisLink,
  keys: Keys,
  { from, to }: Home,
  tell: (moved: number) => void,
): Promise<{ moved: number; damaged: string[] }> {
  const moveKey = mover(redis);
  let moved = 0;
  const damaged: string[] = [];
  for await (const names of scan(redis, keys.recordPattern(from))) {
    await inSlices(names, TOGETHER, async (name) => {
      const user = keys.userOfRecord(name, from);
      if (user === undefined) return;
      const target = keys.ofUser(user, to).record(user);
      if (target === name) return;
      if (!(await moveKey(name, target))) damaged.push(user);
      if (++moved % TELL_EVERY === 0) tell(moved);
    });
  }
  return { moved, damaged };
}

/** Moves a key to another name; false when it is no record, and gone. Renaming is the quicker by far, and not to be had between slots of a cluster. */
function mover(redis: RedisLink): (from: string, to: string) => Promise<boolean> {
  let renames = true;
  return async (from, to) => {
    if (renames) {
      try {
        await redis.rename(from, to);
        return true;
      } catch (error) {
        // It expired a moment ago.
        if (/no such key/.test(reasonOf(error))) return true;
        if (!reasonOf(error).startsWith("CROSSSLOT")) throw error;
        renames = false;
      }
    }
    const whole = await copy(redis, from, to);
    await redis.unlink(from);
    return whole;
  };
}

/** Copies a record with its expiry, in the place of whatever is there; false when it is none. */
async function copy(redis: RedisLink, from: string, to: string): Promise<boolean> {
  const [left, fields] = await Promise.all([redis.pttl(from), readHash(redis, from)]);
  if (!fields) return false;
  const flat = Object.entries(fields).flat();
  if (flat.length === 0) return true;
  // One after another, because a cluster's client sends again what a server that has gone did not take; what is cut off in the middle is done
  // again, because the old one is there still.
  await redis.del(to);
  await redis.hset(to, ...flat);
  if (left >= 0) await redis.pexpire(to, Math.max(1, left));
  return true;
}

/** Undefined for what is no hash. */
async function readHash(redis: RedisLink, key: string): Promise<Record<string, Buffer> | undefined> {
  try {
    return await redis.hgetallBuffer(key);
  } catch (error) {
    if (reasonOf(error).startsWith("WRONGTYPE")) return undefined;
    throw error;
  }
}

/** Removes the keys that are of no partition, of so many as there are. @returns how many */
export async function tidy(redis: RedisLink, keys: Keys, count: number): Promise<number> {
  let removed = 0;
  for await (const names of scan(redis, keys.everyPattern)) {
    const gone = names.filter((name) => {
      const place = keys.placeOf(name);
      return place !== undefined && (count === 1 ? place.number !== null : place.number === null || place.number >= count);
    });
    // One after another: Redis Cluster takes no two of different slots in a command.
    await inSlices(gone, TOGETHER, (name) => redis.unlink(name));
    removed += gone.length;
  }
  return removed;
}
