/** What every command gets: its configuration and its output, and the wrapper that opens and closes the store. */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { openConfiguredStore } from "../background.js";
import { type Config, type ConfigFlags, readConfig } from "../config.js";
import { PopupError } from "../errors.js";
import type { LogLevel } from "../log-level.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Store } from "../store/store.js";

export { table } from "./table.js";

export interface Context {
  readonly config: Config;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Of a process that goes on; a level that was named goes before --quiet. */
  readonly logLevel: LogLevel;
  /** The result: `value` with --json, `text` otherwise. */
  print(value: unknown, text: string): void;
  /** A remark for a person, on stderr; not with --quiet. */
  note(text: string): void;
}

interface GlobalFlags extends ConfigFlags {
  json?: boolean;
  quiet?: boolean;
}

export function contextOf(command: Command): Context {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const json = flags.json === true;
  const quiet = flags.quiet === true;
  const config = readConfig(flags);
  return {
    config,
    json,
    quiet,
    logLevel: config.logLevel ?? (quiet ? "warn" : "info"),
    print: (value, text) => void process.stdout.write(json ? `${JSON.stringify(value)}\n` : text === "" ? "" : `${text}\n`),
    note: (text) => {
      if (!quiet) process.stderr.write(`${text}\n`);
    },
  };
}

const OPEN_RETRY_MS = 1_000;

/**
 * Opens what a process that goes on needs. With a supervisor it waits for what is away, told as an incident: ending would
 * only have it started again, and say the same again. By itself it fails at once, as any command.
 * @param signal ends the waiting, with an AbortError
 */
export async function openPatiently<T>(open: () => T | Promise<T>, onIncident: (cause: string | undefined) => void, signal?: AbortSignal): Promise<T> {
  let cause: string | undefined;
  for (;;) {
    try {
      const opened = await open();
      if (cause !== undefined) onIncident(undefined);
      return opened;
    } catch (error) {
      if (!process.connected || !(error instanceof PopupError) || error.code !== "unavailable") throw error;
      if (error.message !== cause) onIncident((cause = error.message));
    }
    await delay(OPEN_RETRY_MS, undefined, signal && { signal });
  }
}

/** Opens the store for the work and closes it after, whatever comes of it. */
export async function withStore<T>(
  context: Context,
  work: (store: Store) => T | Promise<T>,
  open: () => Store | Promise<Store> = () => openConfiguredStore(context.config),
): Promise<T> {
  const store = await open();
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

/** Said under a table whose times have no offset. */
export function timesIn(timezone: string): string {
  return `times in ${timezone}`;
}

/** `1 campaign`, `2 campaigns`, `1,000 campaigns`. */
export function counted(n: number, noun: string): string {
  return `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
}

/** Resolves at SIGTERM or SIGINT, or when the process that started this one is gone. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      // An open channel to the parent would keep this process running after its work.
      if (process.connected) process.disconnect();
      resolve();
    };
    process.once("SIGTERM", stop);
    process.once("disconnect", stop);
    // Ctrl-C reaches every process of the terminal; one that is supervised waits for its SIGTERM.
    if (process.send) process.on("SIGINT", () => undefined);
    else process.once("SIGINT", stop);
  });
}

/** What is in hand at the end is given this long, ms; a Redis that hangs would take for ever. */
const FINISH_MS = 5_000;

/** Waits for work that runs until it is told to end. With Redis away there is nothing in hand to finish, only a retry to wait for: then it is left. */
export async function runUntilStopped(work: Promise<void>, stop: () => void, redis: RedisLink): Promise<void> {
  const stopped = untilStopped().then(() => {
    stop();
    return redis.status === "ready" ? Promise.race([work, delay(FINISH_MS, undefined, { ref: false })]) : undefined;
  });
  await Promise.race([work, stopped]);
}
