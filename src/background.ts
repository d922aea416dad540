/** Wires what works behind the API: commands, sync and worker. Each `open…` gives back something with a `close()`. */
import { type Config, redisDir, storePath } from "./config.js";
import type { RedisLink } from "./redis/cluster.js";
import { openStore, type Store, type StoreOptions } from "./store/store.js";

export interface RedisHandle {
  readonly redis: RedisLink;
  readonly url: string;
  /** True for an embedded server that this process has started, and so is alone with. */
  readonly owned: boolean;
  close(): Promise<void>;
}

/** A background connection to the configured Redis; starts the embedded one for as long as it is open, unless it runs already. */
export async function openRedis(config: Config): Promise<RedisHandle> {
  // Loading the client takes as long as all that a command without Redis does.
  const [{ backgroundConnection }, { openEmbeddedRedis }] = await Promise.all([import("./redis/client.js"), import("./redis/embedded.js")]);
  const embedded = config.redisUrl === "embedded" ? await openEmbeddedRedis(redisDir(config)) : undefined;
  try {
    const url = embedded?.url ?? config.redisUrl;
    const redis = await backgroundConnection(url, config.redisCa);
    return {
      redis,
      url,
      owned: embedded?.owned ?? false,
      close: async () => {
        redis.disconnect();
        await embedded?.stop();
      },
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

/** The store of the configured data folder. */
export function openConfiguredStore(config: Config, options: Omit<StoreOptions, "actor"> = {}): Store {
  return openStore(storePath(config), { actor: config.actor, ...options });
}
