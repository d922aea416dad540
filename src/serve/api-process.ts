/**
 * The body of an API child process. Speaks with the supervisor: tells it when it listens or why it
 * cannot, and answers its question for metrics.
 */
import { setTimeout as delay } from "node:timers/promises";
import { openApi } from "../app.js";
import { readConfig, readJwtSecret, spoolDir } from "../config.js";
import { PopupError, reasonOf } from "../errors.js";
import { openLog } from "../log.js";
import { answerMetrics } from "./answer-metrics.js";
import { untilReady } from "./beside.js";
import type { ApiMessage, ApiProcessOptions } from "./messages.js";

const { host, port, spoolMaxBytes, auth, corsOrigins, demo, drainMs, beside } = JSON.parse(process.argv[2] ?? "{}") as ApiProcessOptions;
const config = readConfig();
const log = openLog("api", config.logLevel);
const tell = (message: ApiMessage): void => void process.send?.(message);

try {
  const api = await openApi({
    redisUrl: config.redisUrl,
    redisCa: config.redisCa,
    prefix: config.prefix,
    host,
    port,
    log,
    auth,
    jwtSecret: readJwtSecret(),
    corsOrigins,
    demo,
    ...(beside ? { mayListen: (engine) => untilReady(engine, { host, port }) } : {}),
    spool: spoolMaxBytes === 0 ? null : { dir: spoolDir(config), maxBytes: spoolMaxBytes },
  });
  let closing = false;
  const stop = async (): Promise<void> => {
    if (closing) return;
    closing = true;
    if (drainMs > 0) {
      api.drain();
      await delay(drainMs);
    }
    await api.close();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  // Ctrl-C reaches every process of the terminal; the supervisor decides the order.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => void stop());
  answerMetrics(api.metrics.registry);
  tell({ kind: "listening" });
} catch (error) {
  tell({ kind: "failed", message: reasonOf(error), hint: error instanceof PopupError ? (error.hint ?? null) : null });
  process.disconnect?.();
  process.exitCode = 1;
}
