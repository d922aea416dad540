/**
 * Whether what Redis has counted is all that the store knows of. Engines use no counter of a server of which that
 * was not said, so that a cap holds after a wipe, a snapshot of yesterday, or a failover to a replica that was behind.
 */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { PopupError, reasonOf } from "../errors.js";
import type { Keys } from "../redis/keys.js";
import { runIdOf } from "../redis/run-id.js";
import { decodeReply, Script } from "../redis/script.js";
import type { Store } from "../store/store.js";
import { compareStreamIds } from "../stream-id.js";
import type { Clock } from "../time.js";
import { publish } from "./publish.js";
import { type RestoreOptions, restoreCounters } from "./restore.js";

const verifyScript = new Script("verify");

export interface Verification {
  /** `known`: nothing was to be done. `whole`: the server is new, its counters are not. `restored`: they were made again. */
  readonly outcome: "known" | "whole" | "restored";
  /** Users restored. */
  readonly users: number;
}

/** True when nobody has said of the server at the other end that its counters are whole. */
export async function needsVerifying(redis: Redis, keys: Keys): Promise<boolean> {
  const [runId, [version, verified]] = await Promise.all([runIdOf(redis), redis.mget(keys.version, keys.verified)]);
  return version == null || verified?.split(" ")[0] !== runId;
}

/**
 * Looks whether the server's counters are whole, publishes and restores them where they are not, and says that they are.
 * @param options.force restore them whatever they look like
 * @param options.onRestoring told before a restore begins
 * @throws PopupError `conflict` when the server was replaced meanwhile
 */
export async function verifyCounters(
  store: Store,
  redis: Redis,
  keys: Keys,
  clock: Clock,
  options: RestoreOptions & { readonly force?: boolean; readonly onRestoring?: () => void } = {},
): Promise<Verification> {
  const runId = await runIdOf(redis);
  const force = options.force === true;
  if (!force && !(await needsVerifying(redis, keys))) return { outcome: "known", users: 0 };
  const mark = store.events.mark(keys.stream);
  const whole = !force && (await isWhole(store, redis, keys, mark));
  let users = 0;
  if (!whole) options.onRestoring?.();
  // A server that is whole may have an older list: reports of a campaign that is not in it would be set aside.
  await publish(store, redis, keys, clock());
  if (!whole) {
    users = await restoreCounters(store, redis, keys, clock(), options);
  }
  await sayWhole(redis, keys, runId, whole ? mark : store.events.mark(keys.stream));
  return { outcome: whole ? "whole" : "restored", users };
}

/**
 * Says that the counters of a server are whole.
 * @param runId the server that was looked at
 * @param mark the last stream entry that is known to be counted there
 * @throws PopupError `conflict` when another answers by now
 */
export async function sayWhole(redis: Redis, keys: Keys, runId: string, mark: string | null): Promise<void> {
  const reply = await verifyScript.run(redis, [keys.stream, keys.verified], [runId, mark ?? "", randomBytes(8).toString("hex")]);
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
async function isWhole(store: Store, redis: Redis, keys: Keys, mark: string | null): Promise<boolean> {
  // A store without an event, that of a first start, has nothing that could be missing.
  if (store.events.isEmpty()) return true;
  if ((await redis.exists(keys.version)) === 0) return false;
  return mark === null || compareStreamIds(await lastStreamId(redis, keys), mark) >= 0;
}

async function lastStreamId(redis: Redis, keys: Keys): Promise<string> {
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
