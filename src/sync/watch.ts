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

export interface WatchOptions {
  /** The safety net: publish after this long even if nothing seems to have changed, ms. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onPublish: (result: PublishResult) => void;
  /** Told once when trouble begins and once when it is over (undefined). */
  readonly onIncident: (cause: string | undefined) => void;
}

/** Watches until the signal. Trouble is waited out: it never ends the watch. */
export async function watchStore(store: Store, redis: Redis, keys: Keys, options: WatchOptions): Promise<void> {
  let seen = -1;
  let due = 0;
  let version: string | undefined;
  let incident: string | undefined;
  while (!options.signal.aborted) {
    try {
      const change = store.audit.lastId();
      // A version that is not the one left here: Redis was emptied, or went back to an older state.
      if (change !== seen || Date.now() >= due || (await redis.get(keys.version)) !== version) {
        const result = await publish(store, redis, keys, options.clock());
        if (result.version !== version) options.onPublish(result);
        version = result.version;
        seen = change;
        due = Date.now() + options.intervalMs;
        // What changed is live already; a change in the meantime goes before the index.
        const indexed = await refreshIndex(store, redis, keys, options.clock, { stopped: () => options.signal.aborted || store.audit.lastId() !== change });
        if (indexed) options.onPublish(indexed);
        version = indexed?.version ?? version;
      }
      if (incident !== undefined) options.onIncident((incident = undefined));
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== incident) options.onIncident((incident = reason));
    }
    await delay(LOOK_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}
