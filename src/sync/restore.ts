/** Recovery: users' records in Redis rebuilt from the store's events and those still in the stream; and compared with them. */
import { PopupError } from "../errors.js";
import { partitionOf } from "../partition.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { decodeReply, Script } from "../redis/script.js";
import type { Store } from "../store/store.js";
import { lookAtEach } from "./partitions.js";
import { StreamReading } from "./stream-reading.js";

const restoreScript = new Script("restore");
/**
 * How long a reading of the stream may be used: each script reads what came since. (The worker leaves acknowledged
 * entries in the stream for much longer, STREAM_KEEP_MS, so it is still there to see.)
 */
const READING_MS = 200;
/** Publishes in the middle of one user's record. */
const ATTEMPTS = 5;
/** Users whose records are worked on at the same time: enough to keep the connection busy. */
const TOGETHER = 64;

export interface RestoreOptions {
  /** Told after every few users. */
  readonly progress?: (done: number, of: number) => void;
  /** Awaited every few users: what must not wait until all are done. */
  readonly between?: () => Promise<void>;
}

/** A record's fields, as `lua/lib/record.lua` names them; show times are ms, separated by blanks. */
export type RecordFields = ReadonlyMap<string, string>;
export interface Comparison {
  readonly expected: RecordFields;
  readonly actual: RecordFields;
}

interface PartReading {
  readonly keys: Keys;
  readonly stream: StreamReading;
  /** Of the list that was seen last. */
  version: string;
}

/** What is known of users' events, in the store and in the streams, kept young enough to be used. */
export class EventReading {
  /** By the partition's number. */
  readonly #parts: ReadonlyMap<number, PartReading>;
  readonly #count: number;
  #readAt = Number.NEGATIVE_INFINITY;

  /**
   * @param parts the names of the partitions whose users matter
   * @param now epoch ms; what counts as the present for every record
   */
  constructor(
    private readonly store: Store,
    private readonly redis: RedisLink,
    parts: readonly Keys[],
    private readonly now: number,
  ) {
    this.#count = parts[0]?.share.count ?? 1;
    this.#parts = new Map(parts.map((keys) => [keys.share.number, { keys, stream: new StreamReading(redis, keys), version: "" }]));
  }

  /** Reads the streams on if that is due. Await it before each few users. */
  async refresh(): Promise<void> {
    if (Date.now() - this.#readAt <= READING_MS) return;
    await lookAtEach([...this.#parts.values()], ({ stream }) => stream.readOn());
    this.#readAt = Date.now();
  }

  /** Every user of the partitions with an event. */
  userIds(): string[] {
    const inStreams = [...this.#parts.values()].flatMap(({ stream }) => [...stream.userIds()]);
    return [...new Set([...this.store.events.userIds(), ...inStreams])].filter((user) => this.holds(user));
  }

  /** Whether the user is in one of the partitions. */
  holds(userId: string): boolean {
    return this.#parts.has(partitionOf(userId, this.#count));
  }

  /** Makes the user's record anew. A report that comes meanwhile is kept. */
  async restore(userId: string): Promise<void> {
    await this.#run(userId, "restore");
  }

  /** What the user's record should say and what it says; undefined when it cannot be read. */
  async compare(userId: string): Promise<Comparison | undefined> {
    const {
      tag,
      values: [expected, actual],
    } = await this.#run(userId, "compare");
    return tag === "damaged" ? undefined : { expected: fieldsOf(expected), actual: fieldsOf(actual) };
  }

  async #run(userId: string, mode: "restore" | "compare"): Promise<{ tag: string; values: unknown[] }> {
    const part = this.#parts.get(partitionOf(userId, this.#count));
    if (!part) throw new PopupError("internal", `user ${userId} is in none of the partitions that are looked at`);
    const { keys, stream } = part;
    // A publish meanwhile, such as the one that puts a new audience index into use, does no harm: the script reads the list itself.
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const events = [...this.store.events.ofUser(userId), ...stream.ofUser(userId)].sort((a, b) => a.at - b.at);
      const fields = events.flatMap((e) => [e.type, e.campaignId, e.impressionId, e.at, e.overCap ? "1" : "0", e.sessionId ?? ""]);
      const reply = await restoreScript.run(
        this.redis,
        [keys.list, keys.record(userId), keys.stream],
        [part.version, userId, stream.lastId, this.now, mode, JSON.stringify(fields)],
      );
      const { tag, values } = decodeReply("restore", reply, ["restored", "compared", "damaged", "stale", "unpublished"]);
      if (tag !== "stale" && tag !== "unpublished") return { tag, values };
      part.version = (await this.redis.get(keys.version)) ?? "";
    }
    throw new PopupError("conflict", "other processes keep publishing while counters are looked at, or nothing is published", {
      hint: "run it again, after popup sync",
    });
  }
}

function fieldsOf(flat: unknown): Map<string, string> {
  const fields = new Map<string, string>();
  const items: unknown[] = Array.isArray(flat) ? flat : [];
  for (let i = 0; i + 1 < items.length; i += 2) fields.set(String(items[i]), String(items[i + 1]));
  return fields;
}

/**
 * Rebuilds the record of every user of some partitions who has an event. Reports that arrive meanwhile are kept.
 * @param now epoch ms
 * @returns users restored
 */
export async function restorePartitions(store: Store, redis: RedisLink, parts: readonly Keys[], now: number, options: RestoreOptions = {}): Promise<number> {
  const events = new EventReading(store, redis, parts, now);
  await events.refresh();
  const users = events.userIds();
  await forEachUser(users, events, options, (userId) => events.restore(userId));
  return users.length;
}

/** Does something for each of the users, some at a time. */
export async function forEachUser(
  users: readonly string[],
  events: EventReading,
  { progress, between }: RestoreOptions,
  work: (userId: string) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < users.length; from += TOGETHER) {
    await events.refresh();
    const batch = users.slice(from, from + TOGETHER);
    await Promise.all(batch.map(work));
    progress?.(from + batch.length, users.length);
    await between?.();
  }
}
