/** `popup serve` as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Test } from "tap";
import { type Cli, POPUP } from "./cli.js";
import { freePort } from "./engine.js";
import { bareNode } from "./node.js";
import { until } from "./until.js";

export interface Serving {
  readonly url: string;
  readonly adminUrl: string;
  readonly process: ChildProcess;
  /** What it has written to stderr so far. */
  readonly log: () => string;
  /** Sends the signal and resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts the server and waits until it listens; ended at the test's teardown.
 * @param covered its processes write coverage, which takes each half as long again as its start: for a test that is the first to get there
 */
export async function startServing(t: Test, popup: Cli, args: readonly string[] = [], { covered = false } = {}): Promise<Serving> {
  const port = await freePort();
  const admin = await freePort();
  const child = spawn("env", [...bareNode(), POPUP, "serve", "--port", String(port), "--admin", `127.0.0.1:${admin}`, ...args], {
    env: covered ? popup.env : { ...popup.env, NODE_V8_COVERAGE: undefined },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const end = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return exited;
  };
  t.teardown(() => end());
  await until("popup serve listens", () => {
    if (child.exitCode !== null) throw new Error(`popup serve ended with ${child.exitCode}: ${log}`);
    return log.includes("popup listens on");
  });
  return { url: `http://127.0.0.1:${port}`, adminUrl: `http://127.0.0.1:${admin}`, process: child, log: () => log, end };
}

/**
 * The answer to an impression's report. On a busy machine the engine may not have Redis' answer in time and takes the report into its
 * spool: then it is waited for until it has been counted from there, and the answer is the one it would have had.
 */
export async function reported(report: () => Promise<Response>): Promise<string> {
  const textOf = async (): Promise<string> => (await report()).text();
  const first = await textOf();
  if (first !== '{"counted":null,"spooled":true}') return first;
  await until("the spool is replayed", async () => (await textOf()) === '{"counted":false,"reason":"duplicate"}');
  return '{"counted":true,"total":1}';
}

/** The pids of a process' children whose command line contains `text`. */
export function childrenOf(pid: number, text: string): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const ps = spawn("ps", ["-e", "-ww", "-o", "pid=,ppid=,args="], { stdio: ["ignore", "pipe", "ignore"] });
    let out = "";
    ps.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    ps.once("error", reject);
    ps.once("close", () => {
      const rows = out.split("\n").map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line));
      resolve(rows.flatMap((row) => (row && Number(row[2]) === pid && row[3]?.includes(text) ? [Number(row[1])] : [])));
    });
  });
}
