/** Publishing again and again: soon after every change of the store, and at every interval in any case; and looking after counters. */
import { setTimeout as delay } from "node:timers/promises";
import { reasonOf } from "../errors.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { reach } from "../redis/reach.js";
import type { Store } from "../store/store.js";
import type { Clock } from "../time.js";
import { lookAtEach, partitionsToPublish, sayLayout } from "./partitions.js";
import { type Published, type PublishResult, publishParts } from "./publish.js";
import { refreshIndexes } from "./sync.js";
import { nameMasters, partsToVerify, type Verification, verifyPartitions } from "./verify.js";

/** How often the store is asked whether it changed; a change is to be live within 2 s. */
const LOOK_MS = 200;
/**
 * The audience index is built again when the store has been quiet for this long, or has not been for that long: it makes
 * decisions cheaper and no more, and building it sends as much as all audiences together.
 */
const QUIET_MS = 2_000;
const MOST_WAIT_MS = 60_000;
/** After a build that failed, for want of memory perhaps, the next is this far off. */
const INDEX_RETRY_MS = 60_000;

export interface WatchOptions {
  /** The safety net: publish after this long even if nothing seems to have changed, ms. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onPublish: (result: PublishResult) => void;
  /** Told whenever Redis was seen to have what the store has, several times a second. */
  readonly onCurrent?: () => void;
  /** Told before counters are restored, and when a server that is new was looked at. */
  readonly onRestoring?: () => void;
  readonly onVerified?: (result: Verification) => void;
  /** Told once when trouble begins and once when it is over (undefined). */
  readonly onIncident: (cause: string | undefined) => void;
}

/** Watches until the signal. Trouble is waited out: it never ends the watch. */
export async function watchStore(store: Store, redis: RedisLink, keys: Keys, options: WatchOptions): Promise<void> {
  const watch = new Watch(store, redis, keys, options);
  let incident: string | undefined;
  while (!options.signal.aborted) {
    try {
      await watch.look();
      options.onCurrent?.();
      if (incident !== undefined) options.onIncident((incident = undefined));
    } catch (error) {
      if (options.signal.aborted) return;
      const reason = reasonOf(error);
      if (reason !== incident) options.onIncident((incident = reason));
    }
    await delay(LOOK_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

class Watch {
  /** The last change of the store that is published, and the versions it was published as. */
  #seen = -1;
  #versions = "";
  #due = 0;
  /** When the store last changed, and since when there are changes that the index has not seen. */
  #changedAt = 0;
  #unindexedSince: number | undefined;
  #indexFrom = 0;

  constructor(
    private readonly store: Store,
    private readonly redis: RedisLink,
    private readonly keys: Keys,
    private readonly options: WatchOptions,
  ) {}

  async look(): Promise<void> {
    const wanted = await partitionsToPublish(this.store, this.redis, this.keys);
    const { here: parts, trouble } = await reach(this.redis, wanted.parts, ({ list }) => list);
    // First: an emptied Redis is told by its missing list.
    if ((await partsToVerify(this.redis, parts)).length > 0) await this.#verify(parts);
    await nameMasters(this.redis, parts);
    await this.#publish(parts);
    await sayLayout(this.redis, this.keys, wanted);
    await this.#index(parts);
    if (trouble) throw trouble;
  }

  async #verify(parts: readonly Keys[]): Promise<void> {
    const change = this.store.audit.lastId();
    const result = await verifyPartitions(this.store, this.redis, parts, this.options.clock, {
      onPublished: (published) => this.#published(published, change),
      onRestoring: () => this.options.onRestoring?.(),
      // A campaign that is paused now must not wait until a million users are restored.
      between: async () => {
        if (this.options.signal.aborted) throw new Error("stopped before all counters were restored");
        if (this.store.audit.lastId() !== this.#seen) await this.#publish(parts);
      },
    });
    this.options.onVerified?.(result);
  }

  async #publish(parts: readonly Keys[]): Promise<void> {
    const change = this.store.audit.lastId();
    // A version that is not the one left here: Redis was emptied, or went back to an older state.
    if (change === this.#seen && Date.now() < this.#due && (await versionsOf(this.redis, parts)) === this.#versions) return;
    this.#published(await publishParts(this.store, this.redis, parts, this.options.clock()), change);
  }

  /** @param change the last one that the store had before */
  #published({ result, versions }: Published, change: number): void {
    if (versions.join() !== this.#versions) this.options.onPublish(result);
    if (change !== this.#seen || versions.join() !== this.#versions) this.#changedAt = Date.now();
    this.#unindexedSince ??= Date.now();
    this.#versions = versions.join();
    this.#seen = change;
    this.#due = Date.now() + this.options.intervalMs;
  }

  async #index(parts: readonly Keys[]): Promise<void> {
    const { store, redis, options } = this;
    if (this.#unindexedSince === undefined || Date.now() < this.#indexFrom) return;
    const waited = Date.now() - this.#unindexedSince >= MOST_WAIT_MS;
    if (!waited && Date.now() - this.#changedAt < QUIET_MS) return;
    this.#indexFrom = Date.now() + INDEX_RETRY_MS;
    // What changed is live already; a further change goes before the index, unless that has waited long enough.
    const indexed = await refreshIndexes(store, redis, parts, options.clock, {
      stopped: () => options.signal.aborted || (!waited && store.audit.lastId() !== this.#seen),
    });
    this.#indexFrom = 0;
    if (indexed) options.onPublish(indexed.result);
    this.#versions = indexed?.versions.join() ?? this.#versions;
    if (waited || store.audit.lastId() === this.#seen) this.#unindexedSince = undefined;
  }
}

async function versionsOf(redis: RedisLink, parts: readonly Keys[]): Promise<string> {
  return (await lookAtEach(parts, ({ version }) => redis.get(version))).join();
}
