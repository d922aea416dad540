/** Logs go to stderr, one line an incident, as JSON. */
import { destination, type Logger, pino } from "pino";
import type { LogLevel } from "./log-level.js";
import { maskSecrets } from "./secrets.js";

export type { Logger };

/** Causes told in one incident. */
const MOST_CAUSES = 8;
const SELDOM_MS = 60_000;

/** @param part which process of the engine speaks */
export function openLog(part: string, level: LogLevel = "info"): Logger {
  // Synchronous: a line written just before an exit is not lost, and there are few.
  return pino(
    { level, base: { part, pid: process.pid }, serializers: { err: errorFields }, hooks: { streamWrite: maskSecrets } },
    destination({ fd: 2, sync: true }),
  );
}

/** What is told of an error, and no more: the Redis client's carry the command, with customers' ids or a password in it. */
function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, cause } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined ? {} : { cause: errorFields(cause) }),
  };
}

/** The `onIncident` of a part: its trouble as one warning when it begins, each further cause once, and one when it is over. */
export function incidentLogger(log: Logger): (cause: string | undefined) => void {
  const told = new Set<string>();
  return (cause) => {
    if (cause !== undefined) {
      if (told.has(cause) || told.size >= MOST_CAUSES) return;
      told.add(cause);
      log.warn({ cause }, "trouble");
    } else if (told.size > 0) {
      // As loud as its beginning: a quiet process that told of trouble also tells of its end.
      log.warn("trouble is over");
      told.clear();
    }
  };
}

/** Tells of something once a minute at most, however often it happens. */
export function seldom<T>(tell: (what: T) => void): (what: T) => void {
  let next = Number.NEGATIVE_INFINITY;
  return (what) => {
    const now = performance.now();
    if (now < next) return;
    next = now + SELDOM_MS;
    tell(what);
  };
}
