/** `popup bench` as a process beside the engine. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { BenchResult } from "../../dist/load-test/result.js";
import { POPUP } from "../../dist/private-engine.js";
import { bareNode } from "../helpers/node.js";

const MOST_OUTPUT = 64 * 2 ** 20;

/** @returns what it prints with --json @throws when it fails */
export async function runBench(url: string, seconds: number, more: readonly string[]): Promise<BenchResult> {
  const { stdout } = await promisify(execFile)(
    "env",
    [...bareNode(), POPUP, "bench", "--url", url, "--duration", String(seconds), "--json", "--quiet", ...more],
    {
      maxBuffer: MOST_OUTPUT,
    },
  );
  return JSON.parse(stdout) as BenchResult;
}
