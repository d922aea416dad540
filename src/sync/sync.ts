/** Store → Redis, whole: counters are looked after, what changed is published at once, and then the audience index is brought up to it. */
import type { Redis } from "ioredis";
import type { Encoding } from "../encoding.js";
import type { Keys } from "../redis/keys.js";
import type { Audience } from "../store/audiences.js";
import type { Store } from "../store/store.js";
import type { Clock } from "../time.js";
import { type BuiltIndex, buildIndex, dropGenerations, FEWEST_INDEXED, readLiveIndex } from "./audience-index.js";
import { planPublish } from "./plan.js";
import { type PublishResult, publish } from "./publish.js";
import type { RestoreOptions } from "./restore.js";
import { verifyCounters } from "./verify.js";

export interface RefreshOptions {
  /** Asked while it builds; true gives the build up, and what is live stays as it is. */
  readonly stopped?: () => boolean;
  /** Fewer audiences than this get no index. */
  readonly fewest?: number;
  /** A build that is known to be out of use. */
  readonly replaced?: string | undefined;
}

/**
 * Builds the audience index anew where audiences changed, and publishes the list that uses it.
 * @returns what was published, or undefined when there was nothing to do or it was stopped
 */
export async function refreshIndex(
  store: Store,
  redis: Redis,
  keys: Keys,
  clock: Clock,
  { stopped = () => false, fewest = FEWEST_INDEXED, replaced }: RefreshOptions = {},
): Promise<PublishResult | undefined> {
  const drop = (...generations: (string | undefined)[]): Promise<void> =>
    dropGenerations(
      redis,
      keys,
      clock(),
      generations.filter((generation) => generation !== undefined),
    );
  const { live, audiences, missing } = await compare(store, redis, keys, clock());
  if (audiences.length < fewest || !missing) {
    await drop();
    return undefined;
  }
  const index = await buildIndex(store, redis, keys, audiences, clock(), stopped);
  if (!index) return undefined;
  let result: PublishResult | undefined;
  try {
    // Another sync may have been as quick: two indexes of the same audiences are one too many.
    if ((await compare(store, redis, keys, clock())).missing) result = await publish(store, redis, keys, clock(), { index });
  } finally {
    if (result) await drop(live?.generation, replaced);
    else await drop(index.generation);
  }
  return result;
}

/** The live index, the audiences that are to be published, and whether one of them is not in it. */
async function compare(
  store: Store,
  redis: Redis,
  keys: Keys,
  now: number,
): Promise<{ live: BuiltIndex | null; audiences: readonly Audience[]; missing: boolean }> {
  const live = await readLiveIndex(redis, keys);
  const plan = planPublish(store, now, live);
  // A bloom filter is for saving memory; a row of bits for each of its users would take it after all.
  const indexed = (encoding: Encoding): boolean => encoding !== "bloom";
  return {
    live,
    audiences: plan.audiences.filter(({ encoding }) => indexed(encoding)),
    missing: plan.list.audiences.some(({ encoding, slot }) => indexed(encoding) && slot === null),
  };
}

export interface SyncOptions extends RestoreOptions {
  /** Send everything, whatever Redis says it has, and restore every counter. */
  readonly full?: boolean;
}

export interface SyncResult extends PublishResult {
  /** Users whose counters were made again, because Redis did not have them all or because of `full`. */
  readonly users_restored: number;
}

/**
 * One sync: what is live afterwards is what the store has.
 * @throws PopupError `conflict` when others keep publishing, or Redis was replaced meanwhile
 */
export async function syncStore(store: Store, redis: Redis, keys: Keys, clock: Clock, { full = false, ...restore }: SyncOptions = {}): Promise<SyncResult> {
  const started = performance.now();
  const replaced = full ? (await readLiveIndex(redis, keys))?.generation : undefined;
  // Before the publish: an emptied Redis is told by its missing list.
  const known = full ? 0 : (await verifyCounters(store, redis, keys, clock, restore)).users;
  const published = await publish(store, redis, keys, clock(), { full });
  const forced = full ? (await verifyCounters(store, redis, keys, clock, { ...restore, force: true })).users : 0;
  const indexed = await refreshIndex(store, redis, keys, clock, { replaced });
  const result = indexed ?? published;
  return {
    ...result,
    audiences_sent: published.audiences_sent + (indexed?.audiences_sent ?? 0),
    users_restored: known + forced,
    seconds: Math.round(performance.now() - started) / 1000,
  };
}
