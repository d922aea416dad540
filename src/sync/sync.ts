/** Store → Redis, whole: counters are looked after, what changed is published at once, and then the audience index is brought up to it. */
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import type { Audience } from "../store/audiences.js";
import type { Store } from "../store/store.js";
import type { Clock } from "../time.js";
import { buildIndexes, dropGenerations, FEWEST_INDEXED, readLiveIndex, slotFinder } from "./audience-index.js";
import { lookAtEach, partitionsToPublish, sayLayout } from "./partitions.js";
import { viewStore } from "./plan.js";
import { type Published, type PublishResult, publishParts } from "./publish.js";
import type { RestoreOptions } from "./restore.js";
import type { BuiltIndex } from "./row-writer.js";
import { revisionIn } from "./shares.js";
import { verifyPartitions } from "./verify.js";

export interface RefreshOptions {
  /** Asked while it builds; true gives the build up, and what is live stays as it is. */
  readonly stopped?: () => boolean;
  /** Fewer audiences than this get no index. */
  readonly fewest?: number;
  /** A build that is known to be out of use, by the key of the published things of its partition. */
  readonly replaced?: ReadonlyMap<string, string> | undefined;
}

/**
 * Builds the audience index anew in the partitions in which audiences changed, and publishes the lists that use it.
 * @returns what was published, of all partitions, or undefined when there was nothing to do or it was stopped
 */
export async function refreshIndexes(
  store: Store,
  redis: RedisLink,
  parts: readonly Keys[],
  clock: Clock,
  { stopped = () => false, fewest = FEWEST_INDEXED, replaced }: RefreshOptions = {},
): Promise<Published | undefined> {
  /** One after another: each watches a key of its own on the one connection. */
  const drop = async (of: readonly Keys[], more: (keys: Keys) => readonly (string | undefined)[] = () => []): Promise<void> => {
    for (const keys of of) {
      const generations = [...more(keys), replaced?.get(keys.published)];
      await dropGenerations(
        redis,
        keys,
        clock(),
        generations.filter((generation) => generation !== undefined),
      );
    }
  };
  const { live, audiences, missing } = await compare(store, redis, parts, clock());
  if (audiences.length < fewest || missing.length === 0) {
    await drop(parts);
    return undefined;
  }
  // Where users are moved, keys of before are removed: none may come after that.
  const indexes = await buildIndexes(store, redis, missing, audiences, clock(), () => stopped() || store.settings.move() !== null);
  if (!indexes) return undefined;
  let result: Published | undefined;
  try {
    // Another sync may have been as quick: two indexes of the same audiences are one too many.
    if ((await compare(store, redis, parts, clock())).missing.length > 0) result = await publishParts(store, redis, parts, clock(), { indexes });
  } finally {
    await drop(missing, (keys) => [(result ? live : indexes).get(keys)?.generation]);
  }
  return result;
}

/** The live indexes, the audiences that are to be in one, and the partitions in whose index one of them is not. */
async function compare(
  store: Store,
  redis: RedisLink,
  parts: readonly Keys[],
  now: number,
): Promise<{ live: ReadonlyMap<Keys, BuiltIndex | null>; audiences: readonly Audience[]; missing: readonly Keys[] }> {
  const live = new Map(await lookAtEach(parts, async (keys) => [keys, await readLiveIndex(redis, keys)] as const));
  // A bloom filter is for saving memory; a row of bits for each of its users would take it after all.
  const audiences = viewStore(store, now).audiences.filter(({ encoding }) => encoding !== "bloom");
  const missing = parts.filter((keys) => {
    const slotIn = slotFinder(live.get(keys) ?? null);
    return audiences.some((audience) => slotIn({ ...audience, revision: revisionIn(keys.share, audience) }) === null);
  });
  return { live, audiences, missing };
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
export async function syncStore(store: Store, redis: RedisLink, keys: Keys, clock: Clock, { full = false, ...restore }: SyncOptions = {}): Promise<SyncResult> {
  const started = performance.now();
  const wanted = await partitionsToPublish(store, redis, keys);
  const { parts } = wanted;
  const replaced = full ? await liveGenerations(redis, parts) : undefined;
  const published: PublishResult[] = [];
  const options = { ...restore, onPublished: ({ result }: Published) => void published.push(result) };
  // Before the publish: an emptied Redis is told by its missing list.
  const known = full ? 0 : (await verifyPartitions(store, redis, parts, clock, options)).users;
  const last = (await publishParts(store, redis, parts, clock(), { full })).result;
  await sayLayout(redis, keys, wanted);
  const forced = full ? (await verifyPartitions(store, redis, parts, clock, { ...options, force: true })).users : 0;
  const indexed = (await refreshIndexes(store, redis, parts, clock, { replaced }))?.result;
  published.push(last, ...(indexed ? [indexed] : []));
  const sum = (of: "audiences_sent" | "parts_sent"): number => published.reduce((all, result) => all + result[of], 0);
  return {
    ...(indexed ?? last),
    audiences_sent: sum("audiences_sent"),
    parts_sent: sum("parts_sent"),
    users_restored: known + forced,
    seconds: Math.round(performance.now() - started) / 1000,
  };
}

async function liveGenerations(redis: RedisLink, parts: readonly Keys[]): Promise<ReadonlyMap<string, string>> {
  const found = await lookAtEach(parts, async (keys) => [keys.published, (await readLiveIndex(redis, keys))?.generation] as const);
  return new Map(found.flatMap(([key, generation]) => (generation === undefined ? [] : [[key, generation] as const])));
}
