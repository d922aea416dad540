/** Latency of decisions at a fixed rate, counted from the due time: `open-loop.c`, compiled where it is first used. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { PACKAGE_ROOT } from "../dist/version.js";
import { ensureTool } from "./tools.js";
import { CONNECTIONS } from "./wrk.js";

/** What a degraded, wrong or missing answer counts as, ms. */
export const LOST_MS = 1_000;
const SOURCE = join(PACKAGE_ROOT, "bench", "open-loop.c");
const PROGRAM = join(PACKAGE_ROOT, "dist-bench", "open-loop");

export interface OpenLoad {
  /** Requests/s. */
  readonly rate: number;
  /** Users are drawn from 0 ≤ id < users. */
  readonly users: number;
  readonly seed: number;
}

export interface OpenResult {
  readonly requests: number;
  /** Degraded, wrong or missing answers; each is in the latencies as {@link LOST_MS}. */
  readonly bad: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** The most that a request was sent late though a connection was free: of what the server did nothing is in this. */
  readonly clientStallMs: number;
}

let compiled: Promise<void> | undefined;

/** Asks until `until` is settled. @throws Error when the client cannot be compiled, or fails */
export async function openLoop(url: string, { rate, users, seed }: OpenLoad, until: Promise<unknown>): Promise<OpenResult> {
  await (compiled ??= compile());
  const args = [new URL(url).port, CONNECTIONS, rate, 0, users, seed].map(String);
  const child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const closed = once(child, "close");
  // It may end before: when it cannot connect.
  await Promise.race([until, closed]).finally(() => child.kill("SIGTERM"));
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`open-loop ended with ${String(code)}`);
  return parseOpenLoop(printed);
}

/** @throws Error for anything but its line */
function parseOpenLoop(printed: string): OpenResult {
  const result = JSON.parse(printed) as Record<string, number>;
  const field = (name: string): number => {
    const value = result[name];
    if (value === undefined) throw new Error(`open-loop printed no ${name}: ${printed}`);
    return value;
  };
  const ms = (name: string): number => field(name) / 1e3;
  return {
    requests: field("requests"),
    bad: field("bad"),
    p50Ms: ms("p50"),
    p99Ms: ms("p99"),
    p999Ms: ms("p999"),
    maxMs: ms("max"),
    clientStallMs: ms("stall"),
  };
}

async function compile(): Promise<void> {
  ensureTool("cc", "gcc");
  await promisify(execFile)("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", PROGRAM, SOURCE]);
}
