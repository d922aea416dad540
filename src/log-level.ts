/** How much is logged. Apart from the logger, which takes a command that logs nothing a tenth of its start. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
