/** A sink's consumer group of one stream, seen by one worker; and how the worker stands with it. */
import { hostname } from "node:os";
import { ReplyError } from "ioredis";
import { reasonOf } from "../errors.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { type Entry, eventsIn } from "./batch.js";

/** Entries in one command: an entry may hold the events of a hundred requests, and a large read holds up decisions. */
export const PAGE = 200;

export class Group {
  readonly #consumer = `${hostname()}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  readonly stream: string;
  /** Before the ids of its entries, where there are other streams. */
  readonly label: string;
  /** True after trouble: Redis may have given entries to this worker in a reply that never came. */
  mayHaveMissed = false;
  /** When it is looked next what a dead worker left, epoch ms. */
  claimAt = 0;

  /**
   * @param keys of the stream's partition
   * @param name the sink's
   */
  constructor(
    private readonly redis: RedisLink,
    keys: Keys,
    readonly name: string,
  ) {
    this.stream = keys.stream;
    this.label = keys.share.count === 1 ? "" : `p${keys.share.number}:`;
  }

  /** Makes the group, which begins with the oldest entry, unless it is there. */
  async create(): Promise<void> {
    try {
      await this.redis.xgroup("CREATE", this.stream, this.name, "0", "MKSTREAM");
    } catch (error) {
      if (!reasonOf(error).startsWith("BUSYGROUP")) throw error;
    }
  }

  /** True for the error that there is no group: at the first start, or when Redis was emptied. */
  static isMissing(error: unknown): boolean {
    return error instanceof ReplyError && reasonOf(error).startsWith("NOGROUP");
  }

  /**
   * Takes new entries, page by page; a page that is not full is the last.
   * @param events how many are enough
   * @param blockMs how long to wait for the first; 0 does not wait
   */
  async readNew(events: number, blockMs: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    let found = 0;
    for (;;) {
      const page = await this.#readPage(">", entries.length === 0 ? blockMs : 0);
      entries.push(...page);
      found += eventsIn(page);
      if (page.length < PAGE || found >= events) return entries;
    }
  }

  /** A page of what was given to this consumer and is not acknowledged. */
  readOwn(): Promise<Entry[]> {
    return this.#readPage("0");
  }

  /** @param after `>` for new entries, or an id: this consumer's own behind it */
  async #readPage(after: string, blockMs = 0): Promise<Entry[]> {
    const from = [this.stream, after] as const;
    const reply =
      blockMs > 0
        ? await this.redis.xreadgroup("GROUP", this.name, this.#consumer, "COUNT", PAGE, "BLOCK", blockMs, "STREAMS", ...from)
        : await this.redis.xreadgroup("GROUP", this.name, this.#consumer, "COUNT", PAGE, "STREAMS", ...from);
    return ((reply as [string, Entry[]][] | null) ?? [])[0]?.[1] ?? [];
  }

  /** Takes over a page of what another worker has held for `idleMs`; `next` is 0-0 when there is no more. */
  async claim(idleMs: number, cursor: string): Promise<{ entries: Entry[]; next: string }> {
    const [next, claimed] = (await this.redis.xautoclaim(this.stream, this.name, this.#consumer, idleMs, cursor, "COUNT", PAGE)) as [string, (Entry | null)[]];
    // Redis 6.2 gives nothing at all for an entry that was deleted while it was pending.
    return { next, entries: claimed.filter((entry) => entry !== null) };
  }

  async acknowledge(entries: readonly Entry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += PAGE) {
      await this.redis.xack(this.stream, this.name, ...entries.slice(from, from + PAGE).map(([id]) => id));
    }
  }
}
