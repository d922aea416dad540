/** The worker: reads the streams of all partitions in a consumer group of each, hands batches to a sink, acknowledges what the sink has kept. */
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { readLayout } from "../redis/layout.js";
import { reach } from "../redis/reach.js";
import { Backlog } from "./backlog.js";
import { Batch, type Entry, eventsIn, type Taken } from "./batch.js";
import { Group, PAGE } from "./group.js";
import { Rounds, type RoundsOptions, troubleOf } from "./rounds.js";
import type { Sink } from "./sink.js";
import { Tender } from "./tender.js";

export { STREAM_KEEP_MS } from "./tender.js";

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

export interface WorkerOptions extends RoundsOptions {
  /** Events given to the sink at a time; more when an entry ends beyond it. */
  readonly batch?: number;
  /** Entries that another worker has held for this long without acknowledging are taken over, ms. */
  readonly claimAfterMs?: number;
  /** Entries awaiting the sink that are too many. */
  readonly backlog?: number;
  readonly onBatch?: (result: BatchResult) => void;
  /** Told once when too many entries await the sink, and once when they are fewer again. */
  readonly onBacklog?: (entries: number, tooMany: boolean) => void;
}

/** A commit waits for the disk, so a backlog is written in large ones. */
const DEFAULT_BATCH = 10_000;
const DEFAULT_CLAIM_AFTER_MS = 15_000;
const BLOCK_MS = 500;
/** How often several streams are looked at that had nothing new. */
const POLL_MS = 100;
/** How often it is looked whether there are other partitions. */
const LEARN_MS = 1_000;

/** What was read of a stream. */
interface Read extends Taken {
  readonly group: Group;
}

export class Worker {
  readonly #batch: number;
  readonly #claimAfterMs: number;
  readonly #tender: Tender;
  readonly #rounds: Rounds;
  /** One for the stream of each partition. */
  #groups: readonly Group[] = [];
  #learnAt = 0;
  /** What the sink could not take, or Redis did not hear acknowledged: it is tried again before anything else. */
  #held: Batch<Read> | undefined;
  /** Entries acknowledged in this round. */
  #acknowledged = 0;

  /** @param keys the names of all partitions: how many there are is learned from Redis */
  constructor(
    private readonly redis: RedisLink,
    private readonly keys: Keys,
    private readonly sink: Sink,
    private readonly options: WorkerOptions = {},
  ) {
    this.#batch = options.batch ?? DEFAULT_BATCH;
    this.#claimAfterMs = options.claimAfterMs ?? DEFAULT_CLAIM_AFTER_MS;
    this.#rounds = new Rounds(PAGE, options);
    this.#tender = new Tender(redis, sink.name, new Backlog(options.backlog, options.onBacklog));
  }

  /** Works until {@link stop}; trouble is waited out and tried again. Resolves when the batch in hand is done. */
  run(): Promise<void> {
    return this.#rounds.run(async () => {
      let taken = 0;
      const atWork = await troubleOf(async () => {
        taken = await this.#work(BLOCK_MS);
      });
      // Also in trouble: a sink that takes nothing is when the backlog grows.
      const tending = await troubleOf(() => this.#tender.tend(this.#groups));
      return { taken, trouble: atWork ?? tending };
    });
  }

  stop(): void {
    this.#rounds.stop();
  }

  /**
   * One round: what is in hand, what a dead worker left, what is new.
   * @param blockMs how long to wait for new entries; 0 does not wait
   * @returns entries acknowledged
   */
  async step(blockMs = 0): Promise<number> {
    const taken = await this.#work(blockMs);
    await this.#tender.tend(this.#groups);
    return taken;
  }

  async #work(blockMs: number): Promise<number> {
    this.#acknowledged = 0;
    if (this.#held) await this.#keepAgain(this.#held);
    const troubles: unknown[] = [];
    await this.#learn(troubles);
    const groups = this.#groups;
    // A dead worker's, and this one's own, are looked for when their server is back.
    const { here, trouble } = await reach(this.redis, groups, ({ stream }) => stream);
    if (trouble) troubles.push(trouble);
    for (const group of groups) if (!here.includes(group)) group.mayHaveMissed = true;
    const well: Group[] = [];
    for (const group of here) {
      if (await this.#attempt(group, troubles, () => this.#catchUp(group))) well.push(group);
      if (this.#held) throw troubles[0];
    }
    // Streams of different slots cannot be waited for in one command.
    const waits = groups.length === 1 ? blockMs : 0;
    const events = Math.ceil(this.#batch / groups.length);
    const read = await Promise.all(
      well.map((group) => this.#attempt(group, troubles, async (): Promise<Read> => partOf(group, await group.readNew(events, waits)))),
    );
    await this.#keepAll(read.flatMap((part) => (part && part.entries.length > 0 ? [part] : [])));
    if (troubles.length > 0) throw troubles[0];
    if (groups.length > 1 && this.#acknowledged === 0 && blockMs > 0) await this.#rounds.pause(Math.min(POLL_MS, blockMs));
    return this.#acknowledged;
  }

  /** Learns now and then how many streams there are. In a cluster the key that tells may be away while the streams are not. */
  async #learn(troubles: unknown[]): Promise<void> {
    const now = Date.now();
    if (now < this.#learnAt) return;
    try {
      const { partitions } = await readLayout(this.redis, this.keys);
      this.#learnAt = now + LEARN_MS;
      if (partitions !== this.#groups.length) this.#groups = this.keys.split(partitions).map((keys) => new Group(this.redis, keys, this.sink.name));
    } catch (error) {
      if (this.#groups.length <= 1) throw error;
      troubles.push(error);
    }
  }

  /** What the work gives. The trouble of one stream is noted and does not hold up the others; undefined then. */
  async #attempt<T>(group: Group, troubles: unknown[], work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      group.mayHaveMissed = true;
      if (!Group.isMissing(error)) troubles.push(error);
      else await this.#make(group).catch((failure: unknown) => troubles.push(failure));
      return undefined;
    }
  }

  /** Makes the group, unless its stream is gone because there are other partitions now. */
  async #make(group: Group): Promise<void> {
    this.#learnAt = 0;
    await this.#learn([]);
    if (this.#groups.includes(group)) await group.create();
  }

  /** What was given to this worker or to one that is dead, and is not kept yet. */
  async #catchUp(group: Group): Promise<true> {
    if (group.mayHaveMissed) await this.#takeUp(group);
    const now = Date.now();
    if (now >= group.claimAt) {
      await this.#takeOver(group);
      group.claimAt = now + this.#claimAfterMs / 3;
    }
    return true;
  }

  /** Takes up what is this worker's own and was never seen by it, instead of waiting until it may be claimed. */
  async #takeUp(group: Group): Promise<void> {
    for (let entries = await group.readOwn(); entries.length > 0; entries = await group.readOwn()) await this.#keep(batchOf(group, entries));
    group.mayHaveMissed = false;
  }

  async #takeOver(group: Group): Promise<void> {
    let cursor = "0-0";
    do {
      const { entries, next } = await group.claim(this.#claimAfterMs, cursor);
      if (entries.length > 0) await this.#keep(batchOf(group, entries));
      cursor = next;
    } while (cursor !== "0-0" && !this.#rounds.stopping);
  }

  /** Keeps what was read, of as many streams together as make a batch: a commit waits for the disk. */
  async #keepAll(read: readonly Read[]): Promise<void> {
    for (let from = 0; from < read.length; ) {
      let to = from;
      for (let events = 0; to < read.length && events < this.#batch; to++) events += eventsIn(read[to]?.entries ?? []);
      try {
        await this.#keep(new Batch(read.slice(from, to)));
      } catch (error) {
        // Those of this batch are in hand, or are marked where Redis did not hear of them; the others are to be taken up.
        for (const { group } of read.slice(to)) group.mayHaveMissed = true;
        throw error;
      }
      from = to;
    }
  }

  async #keepAgain(batch: Batch<Read>): Promise<void> {
    try {
      await this.#keep(batch);
    } catch (error) {
      for (const group of this.#groups) group.mayHaveMissed = true;
      throw error;
    }
  }

  /** Gives a batch to the sink and acknowledges it. A crash in between brings it again, which the sink takes in its stride. */
  async #keep(batch: Batch<Read>): Promise<void> {
    this.#held = batch;
    const { parts, events, last } = batch;
    const started = performance.now();
    const { added, refused } = await this.sink.write(events, batch.dead, last);
    const letters = refused.length === 0 ? [] : batch.refused(refused);
    if (letters.length > 0) await this.sink.write([], letters, last);
    const seconds = (performance.now() - started) / 1_000;
    const outcomes = await Promise.allSettled(parts.map(({ group, entries }) => group.acknowledge(entries)));
    const failed = parts.filter((_, i) => outcomes[i]?.status === "rejected");
    for (const { group } of failed) group.mayHaveMissed = true;
    const trouble = outcomes.find((outcome) => outcome.status === "rejected");
    // The entries of one stream are not read and written again for it; of several the others go on.
    if (trouble && this.#groups.length === 1) throw trouble.reason;
    this.#held = undefined;
    for (const { entries } of parts.filter((part) => !failed.includes(part))) this.#acknowledged += entries.length;
    this.options.onBatch?.({ added, duplicates: events.length - added - refused.length, dead: batch.dead.length + letters.length, seconds });
    if (trouble) throw trouble.reason;
  }
}

const partOf = (group: Group, entries: readonly Entry[]): Read => ({ group, stream: group.stream, label: group.label, entries });
const batchOf = (group: Group, entries: readonly Entry[]): Batch<Read> => new Batch([partOf(group, entries)]);
