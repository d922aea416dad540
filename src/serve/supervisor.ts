/**
 * `popup serve`: starts the embedded Redis where asked, the API processes, and sync and worker as
 * processes of their own (SQLite's calls are synchronous and would hold up decisions); keeps them
 * running, and stops them in order.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Config, configEnv, redisDir, withoutJwtSecret } from "../config.js";
import { PopupError } from "../errors.js";
import type { Logger } from "../log.js";
import { lookingCluster, lookingConnection } from "../redis/client.js";
import { Keys } from "../redis/keys.js";
import { PACKAGE_ROOT } from "../version.js";
import { type Address, type AdminServer, openAdmin } from "./admin.js";
import { isTaken } from "./beside.js";
import { Child, KILL_AFTER_MS } from "./child.js";
import { collectMetrics } from "./collect.js";
import type { ApiMessage, ApiProcessOptions } from "./messages.js";
import { keepEmbeddedRedis } from "./redis-keeper.js";
import { RedisMetrics } from "./redis-metrics.js";

export interface ServeOptions {
  /** What each of the API processes is started with. */
  readonly api: Omit<ApiProcessOptions, "beside">;
  /** Another engine may have the port. */
  readonly sharePort: boolean;
  readonly processes: number;
  /** Only HTTP; sync and worker run elsewhere. */
  readonly apiOnly: boolean;
  /** Where metrics are served, or null for nowhere. */
  readonly admin: Address | null;
  /** The interval of sync's safety net, s. */
  readonly syncIntervalS: number;
  /** Where the worker carries events. */
  readonly sinks: readonly string[];
}

export interface Serving {
  /** Whether it came to that; not when it was to be stopped before. */
  readonly listens: boolean;
  stop(): Promise<void>;
}

const API_PROCESS = fileURLToPath(new URL("./api-process.js", import.meta.url));
const POPUP = join(PACKAGE_ROOT, "bin", "popup.js");

/**
 * Resolves when every API process listens.
 * @param stopped ends the waiting for that
 * @throws PopupError `unavailable` when a port is taken or Redis cannot be started
 */
export async function serve(config: Config, options: ServeOptions, log: Logger, stopped: Promise<void>): Promise<Serving> {
  const { host, port } = options.api;
  const beside = await isTaken(options.api);
  // A second engine would take half of the requests without a word.
  if (beside && !options.sharePort)
    throw new PopupError("unavailable", `${host}:${port} is taken by another process`, { hint: "choose another with --host or --port" });
  if (beside) log.info("another engine has the port; this one listens beside it when it is ready");
  const embedded = config.redisUrl === "embedded" ? await keepEmbeddedRedis(redisDir(config), log) : undefined;
  const redisUrl = embedded?.url ?? config.redisUrl;
  const env = configEnv({ ...config, redisUrl });
  const apis: Child[] = [];
  const others: Child[] = [];
  let admin: AdminServer | undefined;
  let redisMetrics: RedisMetrics | undefined;
  const stop = async (): Promise<void> => {
    await admin?.close();
    redisMetrics?.close();
    // The API first: what it has accepted is in the stream before the worker ends.
    await Promise.all(apis.map((api) => api.stop(KILL_AFTER_MS + options.api.drainMs)));
    for (const child of others) await child.stop();
    await embedded?.stop();
  };
  try {
    if (options.admin) {
      const ofRedis = new RedisMetrics(lookingConnection(redisUrl, config.redisCa), new Keys(config.prefix), (nodes) =>
        lookingCluster(redisUrl, config.redisCa, nodes),
      );
      redisMetrics = ofRedis;
      // Before the API: a process that listens has customers, and is not ended for an address that is taken.
      admin = await openAdmin(options.admin, () => collectMetrics([...apis, ...others], () => ofRedis.collect()));
    }
    const listening = Promise.all(Array.from({ length: options.processes }, () => startApi({ ...options.api, beside }, env, log, apis)));
    if (!options.apiOnly) {
      const sinks = options.sinks.flatMap((sink) => ["--sink", sink]);
      for (const [part, ...args] of [
        ["sync", "--watch", "--interval", String(options.syncIntervalS)],
        ["worker", ...sinks],
      ] as const) {
        const child = new Child(part, POPUP, [part, ...args, "--quiet"], withoutJwtSecret(env), log);
        others.push(child);
        child.start();
      }
    }
    const listens = await Promise.race([listening.then(() => true), stopped.then(() => false)]);
    return { listens, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves when the process listens for the first time; rejects with its reason when it cannot. */
function startApi(options: ApiProcessOptions, env: NodeJS.ProcessEnv, log: Logger, children: Child[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = new Child("api", API_PROCESS, [JSON.stringify(options)], env, log, (started) => {
      started.on("message", (message: ApiMessage) => {
        if (message.kind === "listening") resolve();
        if (message.kind === "failed")
          reject(new PopupError("unavailable", message.message, { hint: message.hint ?? "its log says why; popup doctor checks this machine" }));
      });
      started.once("exit", (code) =>
        reject(
          new PopupError("unavailable", `an API process ended with ${String(code)} before it listened`, {
            hint: "its log says why; popup doctor checks this machine",
          }),
        ),
      );
    });
    children.push(child);
    child.start();
  });
}
