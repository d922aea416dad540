/**
 * Partitions: shares of the users, each with its keys in one slot of a Redis Cluster (docs/decisions/0021-partitions.md). Within its
 * partition an integer id is called by its local id, so that the bits of a share are as dense as those of the whole.
 */
import { crc32 } from "node:zlib";
import { invalid, PopupError } from "./errors.js";
import { integerId } from "./user-id.js";

export const MOST_PARTITIONS = 1_024;
/** What is wrong on a cluster whose users are not in partitions: what one call needs is on several servers. */
export function unpartitionedCluster(code: "conflict" | "unavailable"): PopupError {
  return new PopupError(code, "this Redis is a cluster, and the users are in one partition", {
    hint: "popup settings set partitions 64 before the first audience; later popup repartition 64",
  });
}

/** One of `count` partitions; `number` counts from 0. */
export interface Share {
  readonly number: number;
  readonly count: number;
}

/** Everyone: the only partition where there is one. */
export const WHOLE: Share = { number: 0, count: 1 };

/**
 * The partition of a user: `id mod count` of an integer id, of a string id the CRC-32 of its characters (ISO 3309, that of zlib) mod
 * `count`. It is part of the keys' form: another function would look for users elsewhere. Not one of the hashes that spread string ids
 * over buckets and parts within a partition, which would leave most of those empty.
 */
export function partitionOf(userId: string, count: number): number {
  return count === 1 ? 0 : (integerId(userId) ?? crc32(userId)) % count;
}

/** What an integer id is called within its partition. */
export function localId(id: number, count: number): number {
  return Math.floor(id / count);
}

/** @throws PopupError `invalid`, naming `partitions` */
export function parsePartitions(text: string): number {
  const count = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= MOST_PARTITIONS))
    throw invalid(
      "partitions",
      `"${text}" is not a whole number of 1 to ${MOST_PARTITIONS}`,
      "1 for one Redis; some ten to twenty for each master of a cluster",
    );
  return count;
}
