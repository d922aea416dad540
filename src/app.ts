/** Wires an API process. It does not know the store: SQLite's calls are synchronous and would hold up decisions. */
import type { Gate } from "./auth/gate.js";
import { openGate } from "./auth/open-gate.js";
import type { AuthSettings } from "./auth/settings.js";
import { Engine } from "./engine/engine.js";
import { EngineMetrics } from "./engine/metrics.js";
import { reasonOf } from "./errors.js";
import type { Listener } from "./http/listener.js";
import { HttpMetrics } from "./http/metrics.js";
import { createHttpServer } from "./http/server.js";
import { incidentLogger, type Logger, openLog, seldom } from "./log.js";
import { hotConnection, hotNodes } from "./redis/client.js";
import { Keys } from "./redis/keys.js";
import { Spool } from "./spool/spool.js";
import type { Clock } from "./time.js";

export interface Api {
  readonly url: string;
  readonly metrics: HttpMetrics;
  readonly engine: Engine;
  /** Goes on as before, but is not ready any more, and lets each connection go with its next answer. */
  drain(): void;
  /** Answers what was asked, and ends. */
  close(): Promise<void>;
}

export interface ApiOptions {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly host: string;
  readonly port: number;
  /** Where reports are kept while Redis is away, and how many bytes of them; null for nowhere. */
  readonly spool: { readonly dir: string; readonly maxBytes: number } | null;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly decisionDeadlineMs?: number;
  /** See {@link Config.redisCa}. */
  readonly redisCa?: string | null;
  readonly auth?: AuthSettings;
  readonly jwtSecret?: string | undefined;
  readonly corsOrigins?: readonly string[];
  readonly demo?: boolean;
  /** Waited for before it listens. */
  readonly mayListen?: (engine: Engine) => Promise<void>;
}

/** One API process' worth: a Redis connection, the engine and its HTTP server, listening. It never opens the store. */
export async function openApi({
  redisUrl,
  prefix,
  host,
  port,
  spool: spoolOptions,
  clock = Date.now,
  log = openLog("api"),
  decisionDeadlineMs,
  redisCa = null,
  auth = { mode: "none" },
  jwtSecret,
  corsOrigins = [],
  demo = false,
  mayListen,
}: ApiOptions): Promise<Api> {
  const spool = spoolOptions && (await openSpool(spoolOptions, log));
  const metrics = new HttpMetrics();
  const engineMetrics = new EngineMetrics(metrics.registry, clock);
  const damaged = seldom((error: Error) => log.warn({ cause: error.message }, "what is known of a user is damaged"));
  const engine = new Engine({
    redis: hotConnection(redisUrl, redisCa),
    connect: hotNodes(redisUrl, redisCa),
    keys: new Keys(prefix),
    clock,
    spool,
    onIncident: incidentLogger(log),
    onFault: damaged,
    onCall: (call, seconds, answered) => engineMetrics.called(call, seconds, answered),
    onImpression: (campaignId) => engineMetrics.shown(campaignId),
    ...(decisionDeadlineMs === undefined ? {} : { decisionDeadlineMs }),
  });
  engineMetrics.watch(engine, spool);
  let gate: Gate | undefined;
  let server: Listener;
  try {
    gate = await openGate(auth, {
      clock,
      jwtSecret,
      apiKeys: () => engine.apiKeys,
      onKeyFile: (error) => {
        if (error === undefined) log.info("the keys of tokens were read again");
        else log.warn({ cause: reasonOf(error) }, "the keys of tokens could not be read again; those from before stay");
      },
    });
    server = createHttpServer(engine, metrics, (error) => log.error({ err: error }, "a request failed"), { gate, corsOrigins, demo });
    await engine.warmUp();
    await mayListen?.(engine);
    await server.listen(host, port);
  } catch (error) {
    gate?.close();
    await engine.close();
    throw error;
  }
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    metrics,
    engine,
    drain: () => server.drain(),
    close: async () => {
      await server.close();
      gate?.close();
      await engine.close();
    },
  };
}

/** A disk that is full when the process starts is no reason to show customers nothing: then nothing is kept. */
async function openSpool({ dir, maxBytes }: { readonly dir: string; readonly maxBytes: number }, log: Logger): Promise<Spool | null> {
  try {
    return await Spool.open(dir, { maxBytes, onTrouble: (message, details) => log.warn(details, message) });
  } catch (error) {
    log.error({ cause: reasonOf(error) }, "the spool cannot be opened; while Redis is away reports are refused");
    return null;
  }
}
