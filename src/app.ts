/** Wires an API process. It does not know the store: SQLite's calls are synchronous and would hold up decisions. */
import { Engine } from "./engine/engine.js";
import { createHttpServer } from "./http/server.js";
import type { HttpMetrics } from "./http/metrics.js";
import { incidentLogger, openLog, type Logger } from "./log.js";
import { hotConnection } from "./redis/client.js";
import { Keys } from "./redis/keys.js";
import type { Clock } from "./time.js";

export interface Api {
  readonly url: string;
  readonly metrics: HttpMetrics;
  readonly engine: Engine;
  close(): Promise<void>;
}

export interface ApiOptions { readonly redisUrl: string; readonly prefix: string; readonly host: string; readonly port: number; readonly clock?: Clock; readonly log?: Logger; readonly decisionDeadlineMs?: number }

/** One API process' worth: a Redis connection, the engine and its HTTP server, listening. It never opens the store. */
export async function openApi({ redisUrl, prefix, host, port, clock = Date.now, log = openLog("api"), decisionDeadlineMs }: ApiOptions): Promise<Api> {
  const engine = new Engine(hotConnection(redisUrl), new Keys(prefix), clock, incidentLogger(log), decisionDeadlineMs);
  const server = createHttpServer(engine, (error) => log.error({ err: error }, "a request failed"));
  try {
    await engine.warmUp();
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
