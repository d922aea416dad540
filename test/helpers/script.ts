/** A few lines of JavaScript in a process of its own, on the built program: to kill it, or to starve it of something. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Test } from "tap";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { bareNode } from "./node.js";

export interface Script {
  readonly pid: number;
  /** The whole lines it has printed so far. */
  lines(): string[];
  errors(): string;
  write(text: string): void;
  /** Ends its input; resolves with its exit code. */
  end(): Promise<number | null>;
  /** Resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Runs the module, which imports from `./dist/`; killed at the test's teardown.
 * @param command what runs it, such as a shell that sets limits first; Node's arguments follow
 */
export function startScript(
  t: Test,
  source: string,
  { command = ["env", ...bareNode()], nodeArgs = [] }: { command?: readonly string[]; nodeArgs?: readonly string[] } = {},
): Script {
  const [program = "", ...args] = command;
  const child = spawn(program, [...args, ...nodeArgs, "--input-type=module", "-e", source], { cwd: PACKAGE_ROOT, stdio: "pipe" });
  let out = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  // What is written to one that was killed is lost with it.
  child.stdin.on("error", () => undefined);
  const closed = once(child, "close");
  t.teardown(() => child.kill("SIGKILL"));
  return {
    pid: child.pid ?? 0,
    lines: () => out.split("\n").slice(0, -1),
    errors: () => errors,
    write: (text) => void child.stdin.write(text),
    end: async () => {
      child.stdin.end();
      await closed;
      return child.exitCode;
    },
    kill: async (signal) => {
      child.kill(signal);
      await closed;
    },
  };
}
