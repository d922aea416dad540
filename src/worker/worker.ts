/** The worker: reads the stream in a consumer group, hands batches to a sink, acknowledges what the sink has kept. */
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { reasonOf } from "../errors.js";
import type { Keys } from "../redis/keys.js";
import { readStreamState } from "../redis/stream-state.js";
import { compareStreamIds } from "../stream-id.js";
import { Backlog } from "./backlog.js";
import { Batch } from "./batch.js";
import { Group, PAGE } from "./group.js";
import type { Sink } from "./sink.js";

/** What became of a batch. */
export interface BatchResult {
  /** Events that the sink did not have yet, and those that it had. */
  readonly added: number;
  readonly duplicates: number;
  /** Events that were set aside. */
  readonly dead: number;
  /** The sink's time for it. */
  readonly seconds: number;
}

export interface WorkerOptions {
  /** Events given to the sink at a time; more when an entry ends beyond it. */
  readonly batch?: number;
  /** Entries that another worker has held for this long without acknowledging are taken over, ms. */
  readonly claimAfterMs?: number;
  /** Entries awaiting the sink that are too many. */
  readonly backlog?: number;
  /** Told once when trouble begins and once when it is over (undefined). */
  readonly onIncident?: (cause: string | undefined) => void;
  /** Told of every round that failed. */
  readonly onFailure?: () => void;
  readonly onBatch?: (result: BatchResult) => void;
  /** Told once when too many entries await the sink, and once when they are fewer again. */
  readonly onBacklog?: (entries: number, tooMany: boolean) => void;
}

/** A commit waits for the disk, so a backlog is written in large ones. */
const DEFAULT_BATCH = 10_000;
const DEFAULT_CLAIM_AFTER_MS = 15_000;
const BLOCK_MS = 500;
const RETRY_MS = 1_000;
/** Between small batches: a commit waits for the disk whether it holds ten events or a thousand, and a read costs Redis as much. */
const LINGER_MS = 100;
/** Acknowledged entries stay this long, for `sync --full` to see what came while it read (sync/restore.ts). */
export const STREAM_KEEP_MS = 60_000;
const TEND_EVERY_MS = 5_000;

export class Worker {
  readonly #group: Group;
  readonly #batch: number;
  readonly #claimAfterMs: number;
  readonly #backlog: Backlog;
  readonly #ending = new AbortController();
  /** What the sink could not take, or Redis did not hear acknowledged: it is tried again before anything else. */
  #held: Batch | undefined;
  /** True after trouble: Redis may have given entries to this worker in a reply that never came. */
  #mayHaveMissed = false;
  #claimAt = 0;
  #tendAt = 0;
  #incident: string | undefined;

  constructor(
    private readonly redis: Redis,
    keys: Keys,
    private readonly sink: Sink,
    private readonly options: WorkerOptions = {},
  ) {
    this.#group = new Group(redis, keys.stream, sink.name);
    this.#batch = options.batch ?? DEFAULT_BATCH;
    this.#claimAfterMs = options.claimAfterMs ?? DEFAULT_CLAIM_AFTER_MS;
    this.#backlog = new Backlog(options.backlog, options.onBacklog);
  }

  /** Works until {@link stop}; trouble is waited out and tried again. Resolves when the batch in hand is done. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      let taken = 0;
      const atWork = await troubleOf(async () => {
        taken = await this.#work(BLOCK_MS);
      });
      // Also in trouble: a sink that takes nothing is when the backlog grows.
      const tending = await troubleOf(() => this.#tend());
      if (this.#stopping) return;
      const trouble = atWork ?? tending;
      this.#note(trouble);
      if (trouble !== undefined) {
        this.options.onFailure?.();
        await this.#pause(RETRY_MS);
      } else if (taken > 0 && taken < PAGE) await this.#pause(LINGER_MS);
    }
  }

  stop(): void {
    this.#ending.abort();
  }

  get #stopping(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Waits, or until {@link stop}. */
  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }

  /**
   * One round: what is in hand, what a dead worker left, what is new.
   * @param blockMs how long to wait for new entries; 0 does not wait
   * @returns entries acknowledged
   */
  async step(blockMs = 0): Promise<number> {
    const taken = await this.#work(blockMs);
    await this.#tend();
    return taken;
  }

  async #work(blockMs: number): Promise<number> {
    const now = Date.now();
    let taken = 0;
    try {
      if (this.#held) taken += await this.#keep(this.#held);
      if (this.#mayHaveMissed) taken += await this.#takeUp();
      if (now >= this.#claimAt) {
        taken += await this.#takeOver();
        this.#claimAt = now + this.#claimAfterMs / 3;
      }
      const entries = await this.#group.readNew(this.#batch, blockMs);
      if (entries.length > 0) taken += await this.#keep(new Batch(entries));
    } catch (error) {
      this.#mayHaveMissed = true;
      if (!Group.isMissing(error)) throw error;
      await this.#group.create();
    }
    return taken;
  }

  /** Takes up what is this worker's own and was never seen by it, instead of waiting until it may be claimed. */
  async #takeUp(): Promise<number> {
    let taken = 0;
    for (let entries = await this.#group.readOwn(); entries.length > 0; entries = await this.#group.readOwn()) taken += await this.#keep(new Batch(entries));
    this.#mayHaveMissed = false;
    return taken;
  }

  async #takeOver(): Promise<number> {
    let taken = 0;
    let cursor = "0-0";
    do {
      const { entries, next } = await this.#group.claim(this.#claimAfterMs, cursor);
      if (entries.length > 0) taken += await this.#keep(new Batch(entries));
      cursor = next;
    } while (cursor !== "0-0" && !this.#stopping);
    return taken;
  }

  /** Gives a batch to the sink and acknowledges it. A crash in between brings it again, which the sink takes in its stride. */
  async #keep(batch: Batch): Promise<number> {
    this.#held = batch;
    const { entries, events } = batch;
    const last = { stream: this.#group.stream, id: batch.last };
    const started = performance.now();
    const { added, refused } = await this.sink.write(events, batch.dead, last);
    const letters = refused.length === 0 ? [] : batch.refused(refused);
    if (letters.length > 0) await this.sink.write([], letters, last);
    const seconds = (performance.now() - started) / 1_000;
    await this.#group.acknowledge(entries);
    this.#held = undefined;
    this.options.onBatch?.({ added, duplicates: events.length - added - refused.length, dead: batch.dead.length + letters.length, seconds });
    return entries.length;
  }

  /** Every few seconds: looks how much awaits the sink, and cuts what is done with from the stream. */
  async #tend(): Promise<void> {
    const now = Date.now();
    if (now < this.#tendAt || this.redis.status !== "ready") return;
    this.#tendAt = now + TEND_EVERY_MS;
    const { groups } = await readStreamState(this.redis, this.#group.stream);
    const own = groups.find(({ name }) => name === this.sink.name);
    if (own) this.#backlog.look(own.lag + own.pending);
    // Behind what every group has acknowledged, and never within the last minute.
    let until = `${now - STREAM_KEEP_MS}-0`;
    for (const { oldestPending, lastDelivered } of groups) {
      const needed = oldestPending ?? lastDelivered;
      if (compareStreamIds(needed, until) < 0) until = needed;
    }
    await this.redis.xtrim(this.#group.stream, "MINID", until);
  }

  #note(incident: string | undefined): void {
    if (incident === this.#incident) return;
    this.#incident = incident;
    this.options.onIncident?.(incident);
  }
}

/** Why the work failed, or undefined when it did not. */
async function troubleOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
