/** What is in the store and in Redis, read without the engine. */
import type { Redis } from "ioredis";
import type { PopupEvent } from "../../dist/event.js";
import type { RedisLink } from "../../dist/redis/cluster.js";
import { decodeEvents } from "../../dist/redis/events.js";
import { Keys } from "../../dist/redis/keys.js";
import type { Store } from "../../dist/store/store.js";
import type { Reading } from "./check/findings.js";
import { keyOf } from "./history.js";

const keys = new Keys();

/** @param users whose counters may exist, beside those who have events @param keysOf the key names of a user's partition */
export async function readAll(store: Store, redis: RedisLink, users: readonly string[], keysOf: (user: string) => Keys): Promise<Reading> {
  const events = store.events.userIds().flatMap((user) => store.events.ofUser(user));
  const counters = new Map<string, Map<number, number>>();
  for (const user of new Set([...users, ...events.map(({ userId }) => userId)])) {
    const fields = Object.entries(await redis.hgetall(keysOf(user).record(user))).filter(([field]) => /^\d+$/.test(field));
    counters.set(user, new Map(fields.map(([field, count]) => [Number(field), Number(count)])));
  }
  return { events, counters };
}

/** Entries of the streams that no worker has acknowledged. @param partitions the key names of each */
export async function backlog(redis: RedisLink, partitions: readonly Keys[]): Promise<number> {
  const each = await Promise.all(partitions.map(({ stream }) => backlogOf(redis, stream)));
  return each.reduce((sum, entries) => sum + entries, 0);
}

async function backlogOf(redis: RedisLink, stream: string): Promise<number> {
  if ((await redis.exists(stream)) === 0) return 0;
  const groups = (await redis.xinfo("GROUPS", stream)) as unknown[][];
  if (groups.length === 0) return redis.xlen(stream);
  const waiting = await Promise.all(
    groups.map(async (group) => {
      const info = new Map(group.flatMap((value, i) => (i % 2 === 0 ? [[String(value), group[i + 1]] as const] : [])));
      const after = await redis.xrange(stream, `(${String(info.get("last-delivered-id"))}`, "+");
      return Number(info.get("pending")) + after.length;
    }),
  );
  return Math.max(...waiting);
}

/** Reads the stream and empties Redis, in one step: nothing comes in between. @returns keys of the reports that were in the stream */
export async function readStreamAndFlush(redis: Redis): Promise<Set<string>> {
  const [read] = (await redis.multi().xrange(keys.stream, "-", "+").flushall().exec()) ?? [];
  if (!read || read[0]) throw new Error(`Redis was not emptied: ${String(read?.[0])}`);
  return reportKeys(read[1] as [string, string[]][]);
}

/** Keys of the reports that are in the stream. */
export async function readStream(redis: Redis): Promise<Set<string>> {
  return reportKeys(await redis.xrange(keys.stream, "-", "+"));
}

function reportKeys(entries: readonly [string, string[]][]): Set<string> {
  const events = entries.flatMap(([, fields]) => decodeEvents(fields)).filter((event): event is PopupEvent => typeof event !== "string");
  return new Set(events.map(({ userId, type, impressionId }) => keyOf(userId, type, impressionId)));
}
