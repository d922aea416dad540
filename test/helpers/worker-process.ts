/** `popup worker` as a process of its own, on a private Redis and a data folder of the test's. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Redis } from "ioredis";
import type { Test } from "tap";
import { POPUP } from "./cli.js";
import { bareNode } from "./node.js";
import { entryOf } from "./stream.js";

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly cause?: string;
}
export interface WorkerProcess {
  readonly child: ChildProcess;
  /** What it has logged so far. */
  log(): LogLine[];
  /** Sends the signal and resolves with the exit code, null for a killed one. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts a worker; ended at the test's teardown.
 * @param under a command that starts it, such as prlimit with its options
 */
export function startWorker(
  t: Test,
  dataDir: string,
  redisUrl: string,
  { args = [], under = [] }: { args?: readonly string[]; under?: readonly string[] } = {},
): WorkerProcess {
  const [program = "", ...command] = [...under, "env", ...bareNode(), POPUP, "worker", ...args];
  const env = { ...process.env, POPUP_DATA: dataDir, POPUP_REDIS_URL: redisUrl };
  const child = spawn(program, command, { env, stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const end = (signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return exited;
  };
  t.teardown(() => end("SIGKILL"));
  return {
    child,
    end,
    log: () =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => (line.startsWith("{") ? (JSON.parse(line) as LogLine) : { level: 0, msg: line })),
  };
}

/** Appends entries of `perEntry` impressions each, by users `u<n>` with ids `i<n>`, n counting on from `from`. Returns the next n. */
export async function appendEvents(redis: Redis, stream: string, from: number, entries: number, perEntry = 5): Promise<number> {
  const pipeline = redis.pipeline();
  let n = from;
  for (let entry = 0; entry < entries; entry++) {
    const fields = Array.from({ length: perEntry }, () =>
      entryOf({ type: "impression", campaign: "1", user: `u${n}`, id: `i${n++}`, at: "1780000000000", over_cap: "0", session: "" }),
    );
    pipeline.xadd(stream, "*", ...fields.flat());
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  return n;
}
