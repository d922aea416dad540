/** Publishing again and again: soon after every change of the store, and at every interval in any case. */
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { reasonOf } from "../errors.js";
import type { Keys } from "../redis/keys.js";
import type { Store } from "../store/store.js";
import type { Clock } from "../time.js";
import { publish, type PublishResult } from "./publish.js";
import { refreshIndex } from "./sync.js";

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
  /** Told once when trouble begins and once when it is over (undefined). */
  readonly onIncident: (cause: string | undefined) => void;
}

/** Watches until the signal. Trouble is waited out: it never ends the watch. */
export async function watchStore(store: Store, redis: Redis, keys: Keys, options: WatchOptions): Promise<void> {
  let seen = -1;
  let due = 0;
  let version: string | undefined;
  let incident: string | undefined;
  // When the store last changed, and since when there are changes that the index has not seen.
  let changedAt = 0;
  let unindexedSince: number | undefined;
  let indexFrom = 0;
  while (!options.signal.aborted) {
    try {
      const change = store.audit.lastId();
      // A version that is not the one left here: Redis was emptied, or went back to an older state.
      if (change !== seen || Date.now() >= due || (await redis.get(keys.version)) !== version) {
        const result = await publish(store, redis, keys, options.clock());
        if (result.version !== version) options.onPublish(result);
        if (change !== seen || result.version !== version) changedAt = Date.now();
        unindexedSince ??= Date.now();
        version = result.version;
        seen = change;
        due = Date.now() + options.intervalMs;
      }
      if (unindexedSince !== undefined && Date.now() >= indexFrom && (Date.now() - changedAt >= QUIET_MS || Date.now() - unindexedSince >= MOST_WAIT_MS)) {
        // What changed is live already; a further change goes before the index, unless that has waited long enough.
        const patient = Date.now() - unindexedSince < MOST_WAIT_MS;
        indexFrom = Date.now() + INDEX_RETRY_MS;
        const indexed = await refreshIndex(store, redis, keys, options.clock, { stopped: () => options.signal.aborted || (patient && store.audit.lastId() !== seen) });
        indexFrom = 0;
        if (indexed) options.onPublish(indexed);
        version = indexed?.version ?? version;
        if (store.audit.lastId() === seen || !patient) unindexedSince = undefined;
      }
      options.onCurrent?.();
      if (incident !== undefined) options.onIncident((incident = undefined));
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== incident) options.onIncident((incident = reason));
    }
    await delay(LOOK_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}
