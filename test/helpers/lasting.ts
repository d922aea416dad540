/** A command that goes on, as a process of its own, without the test runner's loader. */
import { spawn } from "node:child_process";
import type { Test } from "tap";
import { bareNode } from "./node.js";

export interface Lasting {
  readonly pid: number;
  /** What it has written to stderr so far. */
  log(): string;
  /** SIGTERM; resolves with the exit code. */
  end(): Promise<number | null>;
}

/** Killed at the test's teardown. @param command a program, by its path or by the PATH of `env`, and its arguments */
export function startLasting(t: Test, command: readonly string[], env: NodeJS.ProcessEnv): Lasting {
  const child = spawn("env", [bareNode()[0] ?? "", ...command], { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  t.teardown(() => child.kill("SIGKILL"));
  return {
    pid: child.pid ?? 0,
    log: () => log,
    end: () => {
      child.kill("SIGTERM");
      return exited;
    },
  };
}
