/** What every command gets: its configuration and its output, and the wrapper that opens and closes the store. */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import Table from "cli-table3";
import type { Redis } from "ioredis";
import { openConfiguredStore } from "../background.js";
import { readConfig, type Config, type ConfigFlags } from "../config.js";
import type { Store, StoreOptions } from "../store/store.js";

export interface Context {
  readonly config: Config;
  readonly json: boolean;
  readonly quiet: boolean;
  /** The result: `value` with --json, `text` otherwise. */
  print(value: unknown, text: string): void;
  /** A remark for a person, on stderr; not with --quiet. */
  note(text: string): void;
}

interface GlobalFlags extends ConfigFlags { json?: boolean; quiet?: boolean }

export function contextOf(command: Command): Context {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const json = flags.json === true;
  const quiet = flags.quiet === true;
  return {
    config: readConfig(flags),
    json,
    quiet,
    print: (value, text) => void process.stdout.write(json ? `${JSON.stringify(value)}\n` : text === "" ? "" : `${text}\n`),
    note: (text) => {
      if (!quiet) process.stderr.write(`${text}\n`);
    },
  };
}

/** Opens the store for the work and closes it after, whatever comes of it. */
export async function withStore<T>(context: Context, work: (store: Store) => T | Promise<T>, options: Omit<StoreOptions, "actor"> = {}): Promise<T> {
  const store = openConfiguredStore(context.config, options);
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

/** A table without frames; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"));
  const blank = { top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "", left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  " };
  const grid = new Table({ head: [...head], chars: blank, style: { head: [], border: [], "padding-left": 0, "padding-right": 0 }, colAligns: numeric.map((n) => (n ? "right" : "left")) });
  for (const row of rows) grid.push(row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en-US") : cell)));
  return grid.toString().split("\n").map((line) => line.trimEnd()).join("\n");
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
export async function runUntilStopped(work: Promise<void>, stop: () => void, redis: Redis): Promise<void> {
  const stopped = untilStopped().then(() => {
    stop();
    return redis.status === "ready" ? Promise.race([work, delay(FINISH_MS, undefined, { ref: false })]) : undefined;
  });
  await Promise.race([work, stopped]);
}
