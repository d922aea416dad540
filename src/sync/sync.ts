/** Store → Redis, whole: what changed is published at once, and then the audience index is brought up to it. */
import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.js";
import type { Store } from "../store/store.js";
import type { Clock } from "../time.js";
import { buildIndex, dropGenerations, FEWEST_INDEXED, INDEX_FIELD, parseIndex } from "./audience-index.js";
import { planPublish } from "./plan.js";
import { publish, type PublishResult } from "./publish.js";

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
export async function refreshIndex(store: Store, redis: Redis, keys: Keys, clock: Clock, { stopped = () => false, fewest = FEWEST_INDEXED, replaced }: RefreshOptions = {}): Promise<PublishResult | undefined> {
  const live = parseIndex((await redis.hget(keys.published, INDEX_FIELD)) ?? undefined);
  const { audiences, list } = planPublish(store, clock(), live);
  const missing = list.audiences.some(({ slot }) => slot === null);
  if (audiences.length < fewest || !missing) {
    await dropGenerations(redis, keys, clock(), []);
    return undefined;
  }
  const index = await buildIndex(store, redis, keys, audiences, clock(), stopped);
  if (!index) return undefined;
  let result: PublishResult;
  try {
    // Another sync may have been as quick: two indexes of the same audiences are one too many.
    if (!(await isMissing(store, redis, keys, clock()))) {
      await dropGenerations(redis, keys, clock(), [index.generation]);
      return undefined;
    }
    result = await publish(store, redis, keys, clock(), { index });
  } catch (error) {
    await dropGenerations(redis, keys, clock(), [index.generation]);
    throw error;
  }
  await dropGenerations(redis, keys, clock(), [live?.generation, replaced].filter((generation) => generation !== undefined));
  return result;
}

/** Whether an audience that is published is not in the live index. */
async function isMissing(store: Store, redis: Redis, keys: Keys, now: number): Promise<boolean> {
  const live = parseIndex((await redis.hget(keys.published, INDEX_FIELD)) ?? undefined);
  return planPublish(store, now, live).list.audiences.some(({ slot }) => slot === null);
}

/**
 * One sync: what is live afterwards is what the store has.
 * @param full send everything, whatever Redis says it has
 * @throws PopupError `conflict` when others keep publishing
 */
export async function syncStore(store: Store, redis: Redis, keys: Keys, clock: Clock, full = false): Promise<PublishResult> {
  const started = performance.now();
  const replaced = full ? parseIndex((await redis.hget(keys.published, INDEX_FIELD)) ?? undefined)?.generation : undefined;
  const published = await publish(store, redis, keys, clock(), { full });
  const indexed = await refreshIndex(store, redis, keys, clock, { replaced });
  const result = indexed ?? published;
  return { ...result, audiences_sent: published.audiences_sent + (indexed?.audiences_sent ?? 0), seconds: Math.round(performance.now() - started) / 1000 };
}
