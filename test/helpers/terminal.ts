/** A program on a terminal of its own, by util-linux' `script`: the same one, whatever the tests themselves run on. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { PACKAGE_ROOT } from "../../dist/version.js";

/**
 * Starts it; its exit code is the program's.
 * @param command for a shell; `exec` before its last part lets a Ctrl-C reach the program alone
 * @param folder where it runs
 */
export function onTerminal(command: string, env: NodeJS.ProcessEnv, folder = PACKAGE_ROOT): ChildProcessByStdio<Writable, Readable, null> {
  const { COLUMNS: _, LINES: __, ...others } = env;
  return spawn("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
    // Without SHELL it would be the shell of whoever runs the tests, which may be none. And no loader of the runner's: node.ts.
    env: { ...others, SHELL: "/bin/sh", TERM: "xterm-256color", NODE_OPTIONS: "" },
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
  });
}
