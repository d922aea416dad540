/** The worker: reads the stream in a consumer group, hands batches to a sink, acknowledges what the sink has kept. */
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { ReplyError, type Redis } from "ioredis";
import { reasonOf } from "../errors.js";
import type { PopupEvent } from "../event.js";
import { decodeEvents } from "../redis/events.js";
import type { Keys } from "../redis/keys.js";
import type { DeadEvent } from "../store/events.js";
import { compareStreamIds } from "../stream-id.js";
import type { Sink } from "./sink.js";

export interface WorkerOptions {
  /** Events given to the sink at a time; more when an entry ends beyond it. */
  readonly batch?: number;
  /** Entries that another worker has held for this long without acknowledging are taken over, ms. */
  readonly claimAfterMs?: number;
  /** Told once when trouble begins and once when it is over (undefined). */
  readonly onIncident?: (cause: string | undefined) => void;
  readonly onBatch?: (written: number, dead: number) => void;
}

type Entry = [id: string, fields: string[] | null];

/** A commit waits for the disk, so a backlog is written in large ones. */
const DEFAULT_BATCH = 10_000;
/** Entries in one command: an entry may hold the events of a hundred requests, and a large read holds up decisions. */
const PAGE = 200;
const DEFAULT_CLAIM_AFTER_MS = 15_000;
const BLOCK_MS = 500;
const RETRY_MS = 1_000;
/** Between small batches: a commit waits for the disk whether it holds ten events or a thousand, and a read costs Redis as much. */
const LINGER_MS = 100;
/** Acknowledged entries stay this long, for `sync --full` to see what came while it read (sync/restore.ts). */
export const STREAM_KEEP_MS = 60_000;
const TRIM_EVERY_MS = 5_000;

export class Worker {
  readonly #consumer = `${hostname()}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  readonly #batch: number;
  readonly #claimAfterMs: number;
  readonly #ending = new AbortController();
  #stopping = false;
  #claimAt = 0;
  #trimAt = 0;
  #incident: string | undefined;

  constructor(private readonly redis: Redis, private readonly keys: Keys, private readonly sink: Sink, private readonly options: WorkerOptions = {}) {
    this.#batch = options.batch ?? DEFAULT_BATCH;
    this.#claimAfterMs = options.claimAfterMs ?? DEFAULT_CLAIM_AFTER_MS;
  }

  /** Works until {@link stop}; trouble is waited out and tried again. Resolves when the batch in hand is done. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      try {
        const taken = await this.step(BLOCK_MS);
        this.#note(undefined);
        if (taken > 0 && taken < PAGE) await this.#pause(LINGER_MS);
      } catch (error) {
        if (this.#stopping) return;
        this.#note(reasonOf(error));
        await this.#pause(RETRY_MS);
      }
    }
  }

  stop(): void {
    this.#stopping = true;
    this.#ending.abort();
  }

  /** Waits, or until {@link stop}. */
  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }

  /**
   * One round: what a dead worker left, then what is new.
   * @param blockMs how long to wait for new entries; 0 does not wait
   * @returns entries acknowledged
   */
  async step(blockMs = 0): Promise<number> {
    const now = Date.now();
    let taken = 0;
    try {
      if (now >= this.#claimAt) {
        taken += await this.#takeOver();
        this.#claimAt = now + this.#claimAfterMs / 3;
      }
      taken += await this.#keep(await this.#readNew(blockMs));
      if (now >= this.#trimAt) {
        await this.#trim(now);
        this.#trimAt = now + TRIM_EVERY_MS;
      }
    } catch (error) {
      if (!(error instanceof ReplyError) || !reasonOf(error).startsWith("NOGROUP")) throw error;
      // The first start, or Redis was emptied: the group begins with the oldest entry.
      await this.#createGroup();
    }
    return taken;
  }

  async #createGroup(): Promise<void> {
    try {
      await this.redis.xgroup("CREATE", this.keys.stream, this.sink.name, "0", "MKSTREAM");
    } catch (error) {
      if (!reasonOf(error).startsWith("BUSYGROUP")) throw error;
    }
  }

  /** A batch of new entries, page by page; a page that is not full is the last. */
  async #readNew(blockMs: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    let events = 0;
    for (;;) {
      const page = await this.#readPage(entries.length === 0 ? blockMs : 0);
      entries.push(...page);
      events += page.reduce((sum, [, fields]) => sum + (fields?.length ?? 0) / 2, 0);
      if (page.length < PAGE || events >= this.#batch) return entries;
    }
  }

  async #readPage(blockMs: number): Promise<Entry[]> {
    const from = [this.keys.stream, ">"] as const;
    const reply = blockMs > 0
      ? await this.redis.xreadgroup("GROUP", this.sink.name, this.#consumer, "COUNT", PAGE, "BLOCK", blockMs, "STREAMS", ...from)
      : await this.redis.xreadgroup("GROUP", this.sink.name, this.#consumer, "COUNT", PAGE, "STREAMS", ...from);
    return ((reply as [string, Entry[]][] | null) ?? [])[0]?.[1] ?? [];
  }

  async #takeOver(): Promise<number> {
    let taken = 0;
    let cursor = "0-0";
    do {
      const [next, entries] = (await this.redis.xautoclaim(
        this.keys.stream, this.sink.name, this.#consumer, this.#claimAfterMs, cursor, "COUNT", PAGE,
      )) as [string, (Entry | null)[]];
      // Redis 6.2 gives nothing at all for an entry that was deleted while it was pending.
      taken += await this.#keep(entries.filter((entry) => entry !== null));
      cursor = next;
    } while (cursor !== "0-0" && !this.#stopping);
    return taken;
  }

  /** Gives entries to the sink and acknowledges them. A crash in between brings them again, which the sink takes in its stride. */
  async #keep(entries: readonly Entry[]): Promise<number> {
    const last = entries.at(-1)?.[0];
    if (last === undefined) return 0;
    const events: PopupEvent[] = [];
    const dead: DeadEvent[] = [];
    for (const [id, fields] of entries) {
      // Deleted from the stream while it was pending: there is nothing left to keep.
      if (fields === null) continue;
      for (const [place, event] of decodeEvents(fields).entries()) {
        if (typeof event !== "string") events.push(event);
        // Named by its place where the entry holds more than one.
        else dead.push({ streamId: fields.length > 2 ? `${id}#${place}` : id, reason: event, fields: fields.slice(place * 2, place * 2 + 2) });
      }
    }
    const written = await this.sink.write(events, dead, { stream: this.keys.stream, id: last });
    for (let from = 0; from < entries.length; from += PAGE) {
      await this.redis.xack(this.keys.stream, this.sink.name, ...entries.slice(from, from + PAGE).map(([id]) => id));
    }
    this.options.onBatch?.(written, dead.length);
    return entries.length;
  }

  /** Cuts the stream behind what every group has acknowledged, and never within the last {@link STREAM_KEEP_MS}. */
  async #trim(now: number): Promise<void> {
    let until = `${now - STREAM_KEEP_MS}-0`;
    const groups = (await this.redis.xinfo("GROUPS", this.keys.stream)) as unknown[][];
    for (const group of groups) {
      const info = new Map<unknown, unknown>();
      for (let i = 0; i + 1 < group.length; i += 2) info.set(group[i], group[i + 1]);
      const pending = (await this.redis.xpending(this.keys.stream, String(info.get("name")))) as [number, string | null];
      const needed = pending[1] ?? String(info.get("last-delivered-id"));
      if (compareStreamIds(needed, until) < 0) until = needed;
    }
    await this.redis.xtrim(this.keys.stream, "MINID", until);
  }

  #note(incident: string | undefined): void {
    if (incident === this.#incident) return;
    this.#incident = incident;
    this.options.onIncident?.(incident);
  }
}
