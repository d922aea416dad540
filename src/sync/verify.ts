/**
 * Whether what Redis has counted is all that the store knows of. Engines use no counter of a server of which that
 * was not said, so that a cap holds after a wipe, a snapshot of yesterday, or a failover to a replica that was behind.
 */
import { randomBytes } from "node:crypto";
import { PopupError, reasonOf } from "../errors.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { mastersRunIds, runIdsOf } from "../redis/run-id.js";
import { decodeReply, Script } from "../redis/script.js";
import { readVerified, type Verified } from "../redis/verified.js";
import type { Store } from "../store/store.js";
import { compareStreamIds } from "../stream-id.js";
import type { Clock } from "../time.js";
import { lookAtEach } from "./partitions.js";
import { type Published, publishParts } from "./publish.js";
import { type RestoreOptions, restorePartitions } from "./restore.js";

const verifyScript = new Script("verify");

export interface Verification {
  /** `known`: nothing was to be done. `whole`: the server is new, its counters are not. `restored`: they were made again. */
  readonly outcome: "known" | "whole" | "restored";
  /** Users restored. */
  readonly users: number;
}

/** The partitions of which nobody has said of the server that has them that their counters are whole. */
export async function partsToVerify(redis: RedisLink, parts: readonly Keys[]): Promise<Keys[]> {
  return (await lookAt(redis, parts)).filter(({ whole }) => !whole).map(({ keys }) => keys);
}

/**
 * Names the masters of a cluster anew where its partitions' counters are whole and name others: a slot that moves from one of them to another
 * takes its counters along, and they are used there at once.
 */
export async function nameMasters(redis: RedisLink, parts: readonly Keys[]): Promise<void> {
  const masters = await mastersRunIds(redis);
  if (masters.length === 0) return;
  for (const { keys, runId, verified, whole } of await lookAt(redis, parts)) {
    if (!whole || verified === null || [...verified.runIds].sort().join() === masters.join()) continue;
    await say(redis, keys, runId, "", verified.word);
  }
}

interface Look {
  readonly keys: Keys;
  /** The server that has the partition. */
  readonly runId: string;
  readonly verified: Verified | null;
  /** Whether somebody has said of that server that its counters are whole. */
  readonly whole: boolean;
}

async function lookAt(redis: RedisLink, parts: readonly Keys[]): Promise<Look[]> {
  const runIds = await runIdsOf(
    redis,
    parts.map(({ verified }) => verified),
  );
  const values = await lookAtEach(parts, ({ version, verified }) => redis.mget(version, verified));
  return parts.map((keys, i) => {
    const [version = null, text = null] = values[i] ?? [];
    const [runId, verified] = [runIds[i] ?? "", readVerified(text)];
    return { keys, runId, verified, whole: version !== null && verified?.runIds.includes(runId) === true };
  });
}

export interface VerifyOptions extends RestoreOptions {
  /** True for the move of users itself. */
  readonly moving?: boolean;
  readonly force?: boolean;
  readonly onRestoring?: () => void;
  readonly onPublished?: (published: Published) => void;
}

/**
 * Looks whether the server's counters are whole, publishes and restores them where they are not, and says that they are.
 * @param options.force restore them whatever they look like
 * @param options.onRestoring told before a restore begins
 * @param options.onPublished told what it published, before it restores
 * @throws PopupError `conflict` when the server was replaced meanwhile
 */
export async function verifyPartitions(
  store: Store,
  redis: RedisLink,
  parts: readonly Keys[],
  clock: Clock,
  options: VerifyOptions = {},
): Promise<Verification> {
  const force = options.force === true;
  const unsaid = force ? parts : await partsToVerify(redis, parts);
  if (unsaid.length === 0) return { outcome: "known", users: 0 };
  const runIds = await runIdsOf(
    redis,
    unsaid.map(({ verified }) => verified),
  );
  const runIdOf = (keys: Keys): string => runIds[unsaid.indexOf(keys)] ?? "";
  const marks = new Map(unsaid.map((keys) => [keys, store.events.mark(keys.stream)]));
  const whole = force ? [] : (await lookAtEach(unsaid, async (keys) => ((await isWhole(store, redis, keys, marks.get(keys) ?? null)) ? [keys] : []))).flat();
  const damaged = unsaid.filter((keys) => !whole.includes(keys));
  let users = 0;
  if (damaged.length > 0) options.onRestoring?.();
  // A server that is whole may have an older list: reports of a campaign that is not in it would be set aside.
  const published = await publishParts(store, redis, parts, clock(), { moving: options.moving === true });
  options.onPublished?.(published);
  // What is whole need not wait for the others.
  for (const keys of whole) await sayWhole(redis, keys, runIdOf(keys), marks.get(keys) ?? null);
  if (damaged.length > 0) {
    users = await restorePartitions(store, redis, damaged, clock(), options);
    for (const keys of damaged) await sayWhole(redis, keys, runIdOf(keys), store.events.mark(keys.stream));
  }
  return { outcome: damaged.length === 0 ? "whole" : "restored", users };
}

/**
 * Says that the counters of a partition are whole.
 * @param keys of the partition
 * @param runId the server that was looked at
 * @param mark the last stream entry that is known to be counted there
 * @throws PopupError `conflict` when another answers by now
 */
export async function sayWhole(redis: RedisLink, keys: Keys, runId: string, mark: string | null): Promise<void> {
  await say(redis, keys, runId, mark ?? "", randomBytes(8).toString("hex"));
}

async function say(redis: RedisLink, keys: Keys, runId: string, mark: string, word: string): Promise<void> {
  const others = (await mastersRunIds(redis)).filter((id) => id !== runId);
  const reply = await verifyScript.run(redis, [keys.stream, keys.verified], [runId, mark, word, others.join()]);
  if (decodeReply("verify", reply, ["verified", "other"]).tag === "verified") return;
  throw new PopupError("conflict", "Redis was replaced by another server while its counters were looked at", {
    hint: "sync --watch tries again by itself; otherwise run popup sync again",
  });
}

/**
 * A server that has the list, and in its stream (whose ids only grow, also when entries leave it) the last entry that a
 * worker has carried into the store, has counted it: both are one step. What a server lost that was not carried yet, it
 * lost with its count.
 */
async function isWhole(store: Store, redis: RedisLink, keys: Keys, mark: string | null): Promise<boolean> {
  // A store without an event, that of a first start, has nothing that could be missing.
  if (store.events.isEmpty()) return true;
  if ((await redis.exists(keys.version)) === 0) return false;
  return mark === null || compareStreamIds(await lastStreamId(redis, keys), mark) >= 0;
}

async function lastStreamId(redis: RedisLink, keys: Keys): Promise<string> {
  let info: unknown[];
  try {
    info = (await redis.xinfo("STREAM", keys.stream)) as unknown[];
  } catch (error) {
    if (/no such key/.test(reasonOf(error))) return "0-0";
    throw error;
  }
  const at = info.indexOf("last-generated-id");
  return at < 0 ? "0-0" : String(info[at + 1]);
}
