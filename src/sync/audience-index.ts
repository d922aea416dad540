/**
 * Building the audience index (src/audience-rows.ts) beside what is live, and putting it into use with a
 * publish. It only makes decisions cheaper: an audience that is not in it is asked by its own key.
 */
import { audienceLabel } from "../audience.js";
import { inRanges, rowWidth } from "../audience-rows.js";
import { CHUNK_BITS, eachMember } from "../chunk.js";
import { partitionOf } from "../partition.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import type { Audience } from "../store/audiences.js";
import type { Store } from "../store/store.js";
import { bounded } from "./pipeline.js";
import { type BuiltIndex, type Generation, RowWriter } from "./row-writer.js";

/** Where the index stands in the hash of published things. */
export const INDEX_FIELD = "index";
/** Asking fewer audiences by their own keys costs no more than reading a row. */
export const FEWEST_INDEXED = 4;

/** The index that stands in the hash of published things, or null. */
export function parseIndex(text: string | undefined): BuiltIndex | null {
  return text === undefined ? null : (JSON.parse(text) as BuiltIndex);
}

/** The index that decisions use now, or null. */
export async function readLiveIndex(redis: RedisLink, keys: Keys): Promise<BuiltIndex | null> {
  return parseIndex((await redis.hget(keys.published, INDEX_FIELD)) ?? undefined);
}

/** Gives the slot of an audience in an index, or null unless it is in there with its present members. */
export function slotFinder(index: BuiltIndex | null): (audience: Audience) => number | null {
  const slots = new Map(index?.members.map(([label, revision], slot) => [`${label} ${revision}`, slot]));
  return ({ ref, revision }) => slots.get(`${audienceLabel(ref)} ${revision}`) ?? null;
}

/**
 * Writes the rows of some audiences under a generation of their own, which no decision reads yet; in each partition those of its users.
 * @param parts the names of the partitions
 * @param audiences whole, with their revision in the store
 * @param stopped asked before each piece; true ends the build
 * @returns null when it was stopped; what was written is removed then, as it is after a failure
 */
export async function buildIndexes(
  store: Store,
  redis: RedisLink,
  parts: readonly Keys[],
  audiences: readonly Audience[],
  now: number,
  stopped: () => boolean,
): Promise<ReadonlyMap<Keys, BuiltIndex> | null> {
  const ids = audiences.map(({ id }) => id);
  const writers = parts.map((keys) => new RowWriter(redis, keys, audiences));
  let done = false;
  try {
    done = await writeRows(store, writers, ids, now, stopped);
  } finally {
    // What cannot be removed now, because Redis is away, is found abandoned later. The first error is the one to tell.
    if (!done && redis.status === "ready")
      for (const { keys, generation } of writers) await dropGenerations(redis, keys, now, [generation]).catch(() => undefined);
  }
  return done ? new Map(writers.map((writer) => [writer.keys, writer.built(audiences)])) : null;
}

/** Rows that are put together in memory at a time, bytes: the members are read once for as many partitions as fit. */
const MOST_ROWS = 64 * 2 ** 20;

async function writeRows(store: Store, writers: readonly RowWriter[], ids: readonly number[], now: number, stopped: () => boolean): Promise<boolean> {
  const count = writers[0]?.keys.share.count ?? 1;
  const chunks = store.audiences.members.blockNumbers(ids);
  // A block of a partition's rows is made of as many chunks of the audiences as there are partitions.
  const blocks = new Map<number, number[]>();
  for (const chunk of chunks) {
    const block = Math.floor(chunk / count);
    const known = blocks.get(block);
    if (known) known.push(chunk);
    else blocks.set(block, [chunk]);
  }
  // First of all, so that whoever tidies up knows what there may be to remove.
  for (const writer of writers) await writer.register(now, [...blocks.keys()]);
  const together = Math.max(1, Math.floor(MOST_ROWS / (CHUNK_BITS * (rowWidth(ids.length) + 1))));
  for (let from = 0; from < writers.length; from += together) {
    const byNumber: (RowWriter | undefined)[] = [];
    for (const writer of writers.slice(from, from + together)) byNumber[writer.keys.share.number] = writer;
    for (const [block, members] of blocks) {
      if (stopped()) return false;
      for (const chunk of members) {
        for (const { slot, members: packed } of store.audiences.members.block(ids, chunk)) {
          eachMember(packed, (member) => {
            const id = chunk * CHUNK_BITS + member;
            const partition = id % count;
            byNumber[partition]?.add((id - partition) / count - block * CHUNK_BITS, slot);
          });
        }
      }
      for (const writer of byNumber) await writer?.sendBlock(block);
    }
    for (const { id, slots } of store.audiences.members.stringSlots(ids)) {
      if (stopped()) return false;
      await byNumber[partitionOf(id, count)]?.sendString(id, slots);
    }
    for (const writer of byNumber) await writer?.end();
  }
  return true;
}

/** A build that nobody uses and that is older than this was given up by a process that died. */
const ABANDONED_MS = 600_000;
/** Before the name of a build whose rows are being removed. */
const GONE = "gone:";

/**
 * Removes the rows of builds that are not the live one: those named, and those that were begun long ago.
 * @param replaced generations that are known to be out of use
 */
export async function dropGenerations(redis: RedisLink, keys: Keys, now: number, replaced: readonly string[]): Promise<void> {
  for (const [generation, text] of Object.entries(await redis.hgetall(keys.generations))) {
    const { since } = JSON.parse(text) as Generation;
    if (generation.startsWith(GONE)) {
      await removeRows(redis, keys, generation, text);
      continue;
    }
    if (!replaced.includes(generation) && now - since < ABANDONED_MS) continue;
    // The switch checks that a generation is registered, so from here on it cannot come into use.
    await redis.watch(keys.published);
    const live = await readLiveIndex(redis, keys);
    if (live?.generation === generation) {
      await redis.unwatch();
      continue;
    }
    // Its rows stay named until they are removed: this process may be killed before.
    if (
      (await redis
        .multi()
        .hdel(keys.generations, generation)
        .hset(keys.generations, GONE + generation, text)
        .exec()) === null
    )
      continue;
    await removeRows(redis, keys, GONE + generation, text);
  }
}

/** @param entry the name in the register of a build that is out of use */
async function removeRows(redis: RedisLink, keys: Keys, entry: string, text: string): Promise<void> {
  const generation = entry.slice(GONE.length);
  const { blocks, buckets } = JSON.parse(text) as Generation;
  const send = bounded(redis);
  for (const block of inRanges(blocks)) await send((p) => p.unlink(keys.rowBlock(generation, block)));
  for (let bucket = 0; bucket < buckets; bucket++) await send((p) => p.unlink(keys.rowBucket(generation, bucket)));
  await send.end();
  await redis.hdel(keys.generations, entry);
}
