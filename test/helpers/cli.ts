/** Runs command lines as a person would, in a data folder of the test's own. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { runCommand } from "./cli-many.js";
import { bareNode } from "./node.js";

export const POPUP = join(PACKAGE_ROOT, "bin", "popup.js");
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
export interface Cli {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs the command line to its end, in the process that runs those of this file one after another (`cli-many.ts`). */
  (args: readonly string[]): Promise<Run>;
  /** Runs `bin/popup.js` to its end, as a process of its own. @param input for standard input @param folder where it runs */
  alone(args: readonly string[], input?: string, folder?: string): Promise<Run>;
}

/** A command line bound to a fresh data folder, removed at the test's teardown. */
export function cli(t: Test): Cli {
  const dir = mkdtempSync(join(tmpdir(), "popup-cli-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const env = { ...process.env, POPUP_DATA: join(dir, "data"), POPUP_REDIS_URL: "embedded", POPUP_ACTOR: "tester", NO_COLOR: "1" };
  const alone = (args: readonly string[], input = "", folder = PACKAGE_ROOT): Promise<Run> =>
    new Promise((resolve, reject) => {
      const child = spawn("env", [...bareNode(), POPUP, ...args], { env, cwd: folder });
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, stdout, stderr }));
      // A command that ends without reading its input closes the pipe; that is no failure of the test.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
    });
  return Object.assign((args: readonly string[]) => runCommand(args, env), { dir, env, alone });
}
