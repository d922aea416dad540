/**
 * Building the audience index (src/audience-rows.ts) beside what is live, and putting it into use with a
 * publish. It only makes decisions cheaper: an audience that is not in it is asked by its own key.
 */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { audienceLabel } from "../audience.js";
import { type AudienceIndex, type BlockForm, BUCKET_IDS, bucketOf, inRanges, rowWidth, toRanges } from "../audience-rows.js";
import { CHUNK_BITS, eachMember } from "../chunk.js";
import type { Keys } from "../redis/keys.js";
import type { Audience } from "../store/audiences.js";
import type { Store } from "../store/store.js";
import { bounded } from "./pipeline.js";

/** An index, and the audience, with its revision, that each slot is of. */
export interface BuiltIndex extends AudienceIndex {
  readonly members: readonly (readonly [label: string, revision: string])[];
}

/** Where the index stands in the hash of published things. */
export const INDEX_FIELD = "index";
/** Asking fewer audiences by their own keys costs no more than reading a row. */
export const FEWEST_INDEXED = 4;
/** Bytes in one SETRANGE: some tens of microseconds of Redis' time. */
const PIECE_BYTES = 65_536;
/** Rows in one HSET. */
const ROWS_TOGETHER = 128;
/** What a row costs in a Redis hash beside its own bytes: in the compact form of up to 128 entries, and beyond (MEMORY USAGE, Redis 7.0). */
const COMPACT_ROWS = 128,
  COMPACT_ROW_BYTES = 8,
  LOOSE_ROW_BYTES = 72;

/** The index that stands in the hash of published things, or null. */
export function parseIndex(text: string | undefined): BuiltIndex | null {
  return text === undefined ? null : (JSON.parse(text) as BuiltIndex);
}

/** The index that decisions use now, or null. */
export async function readLiveIndex(redis: Redis, keys: Keys): Promise<BuiltIndex | null> {
  return parseIndex((await redis.hget(keys.published, INDEX_FIELD)) ?? undefined);
}

/** Gives the slot of an audience in an index, or null unless it is in there with its present members. */
export function slotFinder(index: BuiltIndex | null): (audience: Audience) => number | null {
  const slots = new Map(index?.members.map(([label, revision], slot) => [`${label} ${revision}`, slot]));
  return ({ ref, revision }) => slots.get(`${audienceLabel(ref)} ${revision}`) ?? null;
}

/**
 * Writes the rows of some audiences under a generation of their own, which no decision reads yet.
 * @param stopped asked before each piece; true ends the build
 * @returns null when it was stopped; what was written is removed then, as it is after a failure
 */
export async function buildIndex(
  store: Store,
  redis: Redis,
  keys: Keys,
  audiences: readonly Audience[],
  now: number,
  stopped: () => boolean,
): Promise<BuiltIndex | null> {
  const generation = randomBytes(6).toString("hex");
  let built: BuiltIndex | null = null;
  try {
    built = await writeRows(store, redis, keys, audiences, now, generation, stopped);
  } finally {
    // What cannot be removed now, because Redis is away, is found abandoned later. The first error is the one to tell.
    if (!built && redis.status === "ready") await dropGenerations(redis, keys, now, [generation]).catch(() => undefined);
  }
  return built;
}

async function writeRows(
  store: Store,
  redis: Redis,
  keys: Keys,
  audiences: readonly Audience[],
  now: number,
  generation: string,
  stopped: () => boolean,
): Promise<BuiltIndex | null> {
  const ids = audiences.map(({ id }) => id);
  const blocks = store.audiences.members.blockNumbers(ids);
  const buckets = Math.ceil(audiences.reduce((sum, { strings }) => sum + strings, 0) / BUCKET_IDS);
  // First of all, so that whoever tidies up knows what there may be to remove.
  await redis.hset(keys.generations, generation, JSON.stringify({ since: now, blocks: toRanges(blocks), buckets } satisfies Generation));
  const width = rowWidth(ids.length);
  const forms: Record<BlockForm, number[]> = { dense: [], sparse: [] };
  const rows = Buffer.alloc(CHUNK_BITS * width);
  for (const block of blocks) {
    if (stopped()) return null;
    rows.fill(0);
    const seen = new Uint8Array(CHUNK_BITS);
    for (const { slot, members } of store.audiences.members.block(ids, block)) {
      const byte = slot >> 3;
      const mask = 0x80 >> (slot & 7);
      eachMember(members, (member) => {
        seen[member] = 1;
        rows[member * width + byte] = (rows[member * width + byte] ?? 0) | mask;
      });
    }
    const form = chooseForm(seen, width);
    forms[form].push(block);
    await (form === "dense" ? sendDense : sendSparse)(redis, keys.rowBlock(generation, block), rows, seen, width);
  }
  if (!(await sendStrings(store, redis, keys, generation, ids, buckets, stopped))) return null;
  return {
    generation,
    slots: ids.length,
    dense: toRanges(forms.dense),
    sparse: toRanges(forms.sparse),
    buckets,
    members: audiences.map(({ ref, revision }) => [audienceLabel(ref), revision] as const),
  };
}

function chooseForm(seen: Uint8Array, width: number): BlockForm {
  const users = seen.reduce((sum, one) => sum + one, 0);
  const sparse = users * (width + (users <= COMPACT_ROWS ? COMPACT_ROW_BYTES : LOOSE_ROW_BYTES));
  return (seen.lastIndexOf(1) + 1) * width <= sparse ? "dense" : "sparse";
}

async function sendDense(redis: Redis, key: string, rows: Buffer, seen: Uint8Array, width: number): Promise<void> {
  const send = bounded(redis);
  const length = (seen.lastIndexOf(1) + 1) * width;
  for (let at = 0; at < length; at += PIECE_BYTES) await send((p) => p.setrange(key, at, Buffer.from(rows.subarray(at, Math.min(at + PIECE_BYTES, length)))));
  await send.end();
}

async function sendSparse(redis: Redis, key: string, rows: Buffer, seen: Uint8Array, width: number): Promise<void> {
  const send = bounded(redis);
  let fields: (string | Buffer)[] = [];
  const flush = async (): Promise<void> => {
    if (fields.length > 0) await send((p) => p.hset(key, ...fields));
    fields = [];
  };
  for (let member = seen.indexOf(1); member >= 0; member = seen.indexOf(1, member + 1)) {
    fields.push(String(member), trimmed(rows.subarray(member * width, (member + 1) * width)));
    if (fields.length >= ROWS_TOGETHER * 2) await flush();
  }
  await flush();
  await send.end();
}

async function sendStrings(
  store: Store,
  redis: Redis,
  keys: Keys,
  generation: string,
  ids: readonly number[],
  buckets: number,
  stopped: () => boolean,
): Promise<boolean> {
  if (buckets === 0) return true;
  const send = bounded(redis);
  for (const { id, slots } of store.audiences.members.stringSlots(ids)) {
    if (stopped()) return false;
    const row = Buffer.alloc(rowWidth(ids.length));
    for (const slot of slots) row[slot >> 3] = (row[slot >> 3] ?? 0) | (0x80 >> (slot & 7));
    await send((p) => p.hset(keys.rowBucket(generation, bucketOf(id, buckets)), id, trimmed(row)));
  }
  await send.end();
  return true;
}

/** A copy without the zero bytes at the end: a byte that is not there reads as zero. */
function trimmed(row: Uint8Array): Buffer {
  return Buffer.from(row.subarray(0, row.findLastIndex((byte) => byte !== 0) + 1));
}

/** A build that was begun: when (epoch ms), and where its rows may lie. */
interface Generation {
  readonly since: number;
  readonly blocks: readonly number[];
  readonly buckets: number;
}

/** A build that nobody uses and that is older than this was given up by a process that died. */
const ABANDONED_MS = 600_000;
/** Before the name of a build whose rows are being removed. */
const GONE = "gone:";

/**
 * Removes the rows of builds that are not the live one: those named, and those that were begun long ago.
 * @param replaced generations that are known to be out of use
 */
export async function dropGenerations(redis: Redis, keys: Keys, now: number, replaced: readonly string[]): Promise<void> {
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
async function removeRows(redis: Redis, keys: Keys, entry: string, text: string): Promise<void> {
  const generation = entry.slice(GONE.length);
  const { blocks, buckets } = JSON.parse(text) as Generation;
  const send = bounded(redis);
  for (const block of inRanges(blocks)) await send((p) => p.unlink(keys.rowBlock(generation, block)));
  for (let bucket = 0; bucket < buckets; bucket++) await send((p) => p.unlink(keys.rowBucket(generation, bucket)));
  await send.end();
  await redis.hdel(keys.generations, entry);
}
