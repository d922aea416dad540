/** Logs go to stderr, one line an incident, as JSON. */
import { destination, pino, type Logger } from "pino";

export type { Logger };

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** @param part which process of the engine speaks */
export function openLog(part: string, level: LogLevel = "info"): Logger {
  // Synchronous: a line written just before an exit is not lost, and there are few.
  return pino({ level, base: { part, pid: process.pid } }, destination({ fd: 2, sync: true }));
}

/** The `onIncident` of a part: its trouble as one warning when it begins and one when it is over. */
export function incidentLogger(log: Logger): (cause: string | undefined) => void {
  let open = false;
  return (cause) => {
    if (cause !== undefined) log.warn({ cause }, "trouble");
    // As loud as its beginning: a quiet process that told of trouble also tells of its end.
    else if (open) log.warn("trouble is over");
    open = cause !== undefined;
  };
}
