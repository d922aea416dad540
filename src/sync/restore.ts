/** Recovery: users' records in Redis rebuilt from the store's events and those still in the stream. */
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import type { Keys } from "../redis/keys.js";
import { decodeReply, Script } from "../redis/script.js";
import type { Store } from "../store/store.js";
import { StreamReading } from "./stream-reading.js";

const restoreScript = new Script("restore");
/**
 * How long a reading of the stream may be used. The worker leaves acknowledged entries in the
 * stream for longer (STREAM_KEEP_MS), so what came since is still there for the script to see.
 */
const READING_MS = 15_000;

/** Publishes in the middle of one user's record. */
const ATTEMPTS = 5;
/** Users whose records are rebuilt at the same time: enough to keep the connection busy. */
const TOGETHER = 64;

export interface RestoreOptions {
  /** Told after every few users. */
  readonly progress?: (done: number, of: number) => void;
  /** Awaited every few users: what must not wait until all are restored. */
  readonly between?: () => Promise<void>;
}

/**
 * Rebuilds the record of every user who has an event. Reports that arrive meanwhile are kept.
 * @param version the list that is live
 * @param now epoch ms
 * @returns users restored
 */
export async function restoreCounters(store: Store, redis: Redis, keys: Keys, version: string, now: number, { progress, between }: RestoreOptions = {}): Promise<number> {
  const stream = new StreamReading(redis, keys);
  await stream.readOn();
  let readAt = Date.now();
  const users = [...new Set([...store.events.userIds(), ...stream.userIds()])];
  for (let from = 0; from < users.length; from += TOGETHER) {
    if (Date.now() - readAt > READING_MS) {
      await stream.readOn();
      readAt = Date.now();
    }
    const batch = users.slice(from, from + TOGETHER);
    await Promise.all(batch.map(async (userId) => {
      // A publish meanwhile, such as the one that puts a new audience index into use, does no harm: the script reads the list itself.
      for (let attempt = 1; !(await restoreUser(store, redis, keys, version, now, userId, stream)); attempt++) {
        if (attempt >= ATTEMPTS) throw new PopupError("conflict", "other processes keep publishing while counters are restored", { hint: "run popup sync --full again" });
        version = (await redis.get(keys.version)) ?? version;
      }
    }));
    progress?.(from + batch.length, users.length);
    await between?.();
  }
  return users.length;
}

/** False when another list is live than `version`. */
async function restoreUser(store: Store, redis: Redis, keys: Keys, version: string, now: number, userId: string, stream: StreamReading): Promise<boolean> {
  const events = [...store.events.ofUser(userId), ...stream.ofUser(userId)].sort((a, b) => a.at - b.at);
  const fields = events.flatMap((e) => [e.type, e.campaignId, e.impressionId, e.at, e.overCap ? "1" : "0", e.sessionId ?? ""]);
  const reply = await restoreScript.run(redis, [keys.list, keys.record(userId), keys.stream], [version, userId, stream.lastId, now, ...fields]);
  return decodeReply("restore", reply, ["restored", "stale", "unpublished"]).tag === "restored";
}
