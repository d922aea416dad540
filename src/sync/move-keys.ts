/** The keys of users who move to other partitions, and those that are nobody's after it. */
import type { Redis } from "ioredis";
import { reasonOf } from "../errors.js";
import { partitionOf } from "../partition.js";
import { Keys } from "../redis/keys.js";
import { inSlices } from "./each.js";

const SCAN_COUNT = 500;
/** Records moved, and keys removed, at the same time. */
const TOGETHER = 100;
const TELL_EVERY = 50_000;

/** The keys that SCAN finds, some at a time; one may come twice. */
async function* scan(redis: Redis, pattern: string): AsyncGenerator<readonly string[]> {
  let cursor = "0";
  do {
    const [next, names] = await redis.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
    if (names.length > 0) yield names;
    cursor = next;
  } while (cursor !== "0");
}

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
export async function moveRecords(redis: Redis, keys: Keys, { from, to }: Home, tell: (moved: number) => void): Promise<{ moved: number; damaged: string[] }> {
  let moved = 0;
  const damaged: string[] = [];
  for await (const names of scan(redis, keys.recordPattern(from))) {
    await inSlices(names, TOGETHER, async (name) => {
      const place = keys.placeOf(name);
      const user = place && Keys.userOfRecord(place.name);
      if (user === undefined || (place?.number ?? 0) !== partitionOf(user, from)) return;
      const target = keys.ofUser(user, to).record(user);
      if (target === name) return;
      if (!(await copy(redis, name, target))) damaged.push(user);
      await redis.unlink(name);
      if (++moved % TELL_EVERY === 0) tell(moved);
    });
  }
  return { moved, damaged };
}

/** Copies a record with its expiry, whatever stands in its place; false when it is none. Between servers of a cluster nothing can be renamed. */
async function copy(redis: Redis, from: string, to: string): Promise<boolean> {
  let fields: Record<string, Buffer>;
  const left = await redis.pttl(from);
  try {
    fields = await redis.hgetallBuffer(from);
  } catch (error) {
    if (reasonOf(error).startsWith("WRONGTYPE")) return false;
    throw error;
  }
  const flat = Object.entries(fields).flat();
  // It expired a moment ago.
  if (flat.length === 0) return true;
  const all = redis
    .multi()
    .del(to)
    .hset(to, ...flat);
  if (left >= 0) all.pexpire(to, Math.max(1, left));
  for (const [error] of (await all.exec()) ?? []) if (error) throw error;
  return true;
}

/** Removes the keys that are of no partition, of so many as there are. @returns how many */
export async function tidy(redis: Redis, keys: Keys, count: number): Promise<number> {
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
