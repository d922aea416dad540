/** Wires the parts together. Each `open…` gives back something with a `close()`. */
import type { Redis } from "ioredis";
import { redisDir, storePath, type Config } from "./config.js";
import { Engine } from "./engine/engine.js";
import { createHttpServer } from "./http/server.js";
import type { HttpMetrics } from "./http/metrics.js";
import { incidentLogger, openLog, type Logger } from "./log.js";
import { backgroundConnection, hotConnection } from "./redis/client.js";
import { openEmbeddedRedis } from "./redis/embedded.js";
import { Keys } from "./redis/keys.js";
import { openStore, type Store } from "./store/store.js";
import type { Clock } from "./time.js";

export interface Api {
  readonly url: string;
  readonly metrics: HttpMetrics;
  readonly engine: Engine;
  close(): Promise<void>;
}

export interface ApiOptions { readonly redisUrl: string; readonly prefix: string; readonly host: string; readonly port: number; readonly clock?: Clock; readonly log?: Logger }

/** One API process' worth: a Redis connection, the engine and its HTTP server, listening. It never opens the store. */
export async function openApi({ redisUrl, prefix, host, port, clock = Date.now, log = openLog("api") }: ApiOptions): Promise<Api> {
  const engine = new Engine(hotConnection(redisUrl), new Keys(prefix), clock, incidentLogger(log));
  const server = createHttpServer(engine, (error) => log.error({ err: error }, "a request failed"));
  try {
    await server.listen(host, port);
  } catch (error) {
    engine.close();
    throw error;
  }
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    metrics: server.metrics,
    engine,
    close: async () => {
      await server.close();
      engine.close();
    },
  };
}

export interface RedisHandle { readonly redis: Redis; readonly url: string; close(): Promise<void> }

/** A background connection to the configured Redis; starts the embedded one for as long as it is open, unless it runs already. */
export async function openRedis(config: Config): Promise<RedisHandle> {
  const embedded = config.redisUrl === "embedded" ? await openEmbeddedRedis(redisDir(config)) : undefined;
  try {
    const url = embedded?.url ?? config.redisUrl;
    const redis = await backgroundConnection(url);
    return {
      redis,
      url,
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
export function openConfiguredStore(config: Config, clock: Clock = Date.now): Store {
  return openStore(storePath(config), { actor: config.actor, clock });
}
