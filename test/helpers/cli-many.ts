/** Command lines in one process, which a test file starts once: starting Node for each takes longer than most commands do. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import root from "tap";
import { PACKAGE_ROOT } from "../../dist/version.js";
import type { Cli, Run } from "./cli.js";
import { bareNode } from "./node.js";

export interface CommandRequest {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}
export interface CommandReply extends Run {
  /** What the command left open, and would have kept its process from ending. */
  readonly open: readonly string[];
}

const PROGRAM = fileURLToPath(new URL("./command-process.js", import.meta.url));

class CommandProcess {
  readonly #child: ChildProcess = spawn("env", [...bareNode(), PROGRAM], { cwd: PACKAGE_ROOT, stdio: ["ignore", "ignore", "inherit", "pipe"] });
  readonly #channel = this.#child.stdio[3] as Socket;
  readonly #replies = createInterface({ input: this.#channel })[Symbol.asyncIterator]();
  readonly #ended = new Promise<void>((resolve) => this.#child.once("close", () => resolve()));
  #last: Promise<unknown> = Promise.resolve();

  /** @throws Error when the command ends the process, or does not close what it opened */
  run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
    const request: CommandRequest = { args, env: { ...env, NODE_OPTIONS: "" } };
    const run = this.#last.then(async () => {
      this.#channel.write(`${JSON.stringify(request)}\n`);
      const { done, value } = await this.#replies.next();
      if (done) throw new Error(`popup ${args.join(" ")} ended the process`);
      const { open, ...reply } = JSON.parse(value) as CommandReply;
      if (open.length > 0) {
        // It would not end at the teardown either.
        this.#child.kill("SIGKILL");
        throw new Error(`popup ${args.join(" ")} would not end: ${open.join(", ")} is open`);
      }
      return reply;
    });
    this.#last = run.catch(() => undefined);
    return run;
  }

  /** Resolves when it has ended: what it writes of its coverage is there then. */
  end(): Promise<void> {
    this.#channel.end();
    return this.#ended;
  }
}

let shared: CommandProcess | undefined;

/** Runs the command line in the process of this file, after those that were asked for before. */
export function runCommand(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  if (shared === undefined) {
    shared = new CommandProcess();
    root.teardown(() => shared?.end());
  }
  return shared.run(args, env);
}

/** The runs of the command lines, in order, in the data folder of `popup`. */
export async function runMany(popup: Pick<Cli, "env">, commands: readonly (readonly string[])[]): Promise<Run[]> {
  return Promise.all(commands.map((args) => runCommand(args, popup.env)));
}
