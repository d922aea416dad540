/** The one place of the benchmark that publishes: what sync does, with all of its steps. */
import type { Redis } from "ioredis";
import type { Keys } from "../dist/redis/keys.js";
import type { Store } from "../dist/store/store.js";
import { syncStore } from "../dist/sync/sync.js";

/** Publishes the store and returns when decisions are as fast as they will be. */
export async function publishAll(store: Store, redis: Redis, keys: Keys): Promise<void> {
  await syncStore(store, redis, keys, Date.now);
}
