/** The load generator of closed-loop runs: wrk, because it takes the least CPU beside the servers. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { PACKAGE_ROOT } from "../dist/version.js";

export const CONNECTIONS = 64;
const SCRIPT = join(PACKAGE_ROOT, "bench", "wrk", "load.lua");

/** Which requests are made; users are drawn from first ≤ id < first + users. */
export interface Load {
  readonly kind: "get" | "post" | "mixed";
  readonly first: number;
  readonly users: number;
  /** Reports are about the campaigns 1 to this. */
  readonly campaigns: number;
  /** {@link CONNECTIONS} unless it says otherwise. */
  readonly connections?: number;
}

export interface WrkResult {
  /** Requests answered. */
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What went wrong, by kind, where the count is not 0. `status` is an answer of 400 or more. */
  readonly errors: Readonly<Record<string, number>>;
}

const ERRORS = ["connect", "read", "write", "timeout", "status"] as const;

/** @param seconds a whole number @param seed another in every run */
export async function runWrk(url: string, load: Load, seconds: number, seed: number): Promise<WrkResult> {
  const args = [
    "-t1",
    `-c${load.connections ?? CONNECTIONS}`,
    `-d${seconds}s`,
    "-s",
    SCRIPT,
    url,
    "--",
    load.kind,
    seed,
    load.first,
    load.users,
    load.campaigns,
  ].map(String);
  const { stdout } = await promisify(execFile)("wrk", args, { timeout: (seconds + 30) * 1_000 });
  return parseWrk(stdout);
}

/** @throws Error when wrk did not print its line */
export function parseWrk(stdout: string): WrkResult {
  const line = stdout.split("\n").find((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(`wrk printed no result: ${stdout}`);
  const result = JSON.parse(line) as Record<string, number>;
  const field = (name: string): number => result[name] ?? Number.NaN;
  return {
    requests: field("requests"),
    seconds: field("us") / 1e6,
    p50Ms: field("p50") / 1e3,
    p99Ms: field("p99") / 1e3,
    errors: Object.fromEntries(ERRORS.flatMap((name) => (field(name) === 0 ? [] : [[name, field(name)]]))),
  };
}
