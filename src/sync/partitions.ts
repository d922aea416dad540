/** Which partitions sync writes to: those that the store says, unless Redis holds others, which have to be moved first. */

import { inSlices } from "../each.js";
import { PopupError } from "../errors.js";
import { unpartitionedCluster } from "../partition.js";
import { isCluster, type RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { layoutText, readLayout } from "../redis/layout.js";
import type { Store } from "../store/store.js";

export interface Partitions {
  /** The names of each. */
  readonly parts: readonly Keys[];
  /** Whether Redis says already that it is these. */
  readonly said: boolean;
}

/** Partitions that are looked at at the same time. */
const TOGETHER = 64;

/** A look at each of the partitions, some at a time; the results in their order. @throws as {@link inSlices} */
export function lookAtEach<T, R>(parts: readonly T[], look: (part: T) => R | Promise<R>): Promise<R[]> {
  return inSlices(parts, TOGETHER, look);
}

/** @throws PopupError `conflict` while users are being moved, or when what is published is of other partitions */
export async function partitionsToPublish(store: Store, redis: RedisLink, keys: Keys): Promise<Partitions> {
  const count = store.settings.partitions();
  if (count === 1 && isCluster(redis)) throw unpartitionedCluster("conflict");
  const { partitions, movingTo } = await readLayout(redis, keys);
  const target = movingUsersTo(store) ?? movingTo;
  if (target !== null) throw moving(target);
  if (partitions !== count && (await isAnythingPublished(redis, keys.split(partitions))))
    throw new PopupError("conflict", `Redis holds ${partitions} partitions, the store says ${count}`, {
      hint: `popup repartition ${count} moves what users have seen`,
    });
  return { parts: keys.split(count), said: partitions === count };
}

/** @throws PopupError `conflict` while users are being moved, and when these are other partitions than the store says by now */
export function checkNoMove(store: Store, parts: readonly Keys[]): void {
  const target = movingUsersTo(store);
  if (target !== null) throw moving(target);
  const count = store.settings.partitions();
  if (parts.some(({ share }) => share.count !== count))
    throw new PopupError("conflict", `there are ${count} partitions by now`, { hint: "sync --watch tries again by itself; otherwise run popup sync again" });
}

/** Where the last keys of a move are being removed, all goes on already. */
function movingUsersTo(store: Store): number | null {
  const move = store.settings.move();
  return move === null || move.phase === "tidying" ? null : move.to;
}

function moving(to: number): PopupError {
  return new PopupError("conflict", `users are being moved to ${to} ${to === 1 ? "partition" : "partitions"}`, {
    hint: `popup repartition ${to} does it, and goes on where it was stopped`,
  });
}

/** Says which partitions there are, so that API processes and workers turn to them. Of a first one nothing need be said. */
export async function sayLayout(redis: RedisLink, keys: Keys, { parts, said }: Partitions): Promise<void> {
  if (!said) await redis.set(keys.layout, layoutText({ partitions: parts.length, movingTo: null }));
}

async function isAnythingPublished(redis: RedisLink, parts: readonly Keys[]): Promise<boolean> {
  return (await lookAtEach(parts, (part) => redis.exists(part.version))).some((there) => there === 1);
}
