/** Recovery: users' records in Redis rebuilt from the store's events and those still in the stream. */
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import { decodeEvent } from "../redis/events.js";
import type { PopupEvent } from "../event.js";
import type { Keys } from "../redis/keys.js";
import { decodeReply, Script } from "../redis/script.js";
import type { Store } from "../store/store.js";

const restoreScript = new Script("restore");
const STREAM_PAGE = 1_000;
/**
 * How long a reading of the stream may be used. The worker leaves acknowledged entries in the
 * stream for longer (STREAM_KEEP_MS), so what came since is still there for the script to see.
 */
const READING_MS = 15_000;

/** Reports older than a day are told apart by the store, not by the record. */
export interface RestoreProgress { (done: number, of: number): void }

/**
 * Rebuilds the record of every user who has an event. Reports that arrive meanwhile are kept.
 * @param version the list that is live
 * @param now epoch ms
 * @returns users restored
 */
export async function restoreCounters(store: Store, redis: Redis, keys: Keys, version: string, now: number, progress: RestoreProgress = () => undefined): Promise<number> {
  const stream = new StreamReading(redis, keys);
  await stream.readOn();
  let readAt = Date.now();
  const users = [...new Set([...store.events.userIds(), ...stream.userIds()])];
  let done = 0;
  for (const userId of users) {
    if (Date.now() - readAt > READING_MS) {
      await stream.readOn();
      readAt = Date.now();
    }
    const events = [...store.events.ofUser(userId), ...stream.ofUser(userId)].sort((a, b) => a.at - b.at);
    const fields = events.flatMap((e) => [e.type, e.campaignId, e.impressionId, e.at, e.overCap ? "1" : "0", e.sessionId ?? ""]);
    const reply = await restoreScript.run(redis, [keys.list, keys.record(userId), keys.stream], [version, userId, stream.lastId, now, ...fields]);
    const { tag } = decodeReply("restore", reply, ["restored", "stale", "unpublished"]);
    if (tag !== "restored") {
      throw new PopupError("conflict", "another process published while counters were restored", { hint: "run popup sync --full again" });
    }
    progress(++done, users.length);
  }
  return users.length;
}

/** The events that are in the stream, read on from where the last reading ended. */
class StreamReading {
  lastId = "0-0";
  readonly #byUser = new Map<string, PopupEvent[]>();

  constructor(private readonly redis: Redis, private readonly keys: Keys) {}

  async readOn(): Promise<void> {
    for (;;) {
      const entries = await this.redis.xrange(this.keys.stream, `(${this.lastId}`, "+", "COUNT", STREAM_PAGE);
      for (const [id, fields] of entries) {
        this.lastId = id;
        const event = decodeEvent(fields);
        // An entry that is no event is the worker's to set aside.
        if (typeof event === "string") continue;
        const events = this.#byUser.get(event.userId);
        if (events) events.push(event);
        else this.#byUser.set(event.userId, [event]);
      }
      if (entries.length < STREAM_PAGE) return;
    }
  }

  userIds(): Iterable<string> {
    return this.#byUser.keys();
  }

  ofUser(userId: string): readonly PopupEvent[] {
    return this.#byUser.get(userId) ?? [];
  }
}
