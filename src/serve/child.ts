/** One supervised child process: started again when it ends by itself, stopped when asked. */
import { type ChildProcess, fork } from "node:child_process";
import type { Logger } from "../log.js";

const RESTART_MS = 1_000;
/** One that has not ended this long after SIGTERM hangs; whatever it is doing has to bear a kill at any time. */
export const KILL_AFTER_MS = 10_000;

export class Child {
  #process: ChildProcess | undefined;
  #stopping = false;
  #exited: Promise<void> = Promise.resolve();

  /**
   * @param name which part of the engine it is
   * @param file a JavaScript module
   * @param onStart called with every new process, to listen to it
   */
  constructor(
    readonly name: string,
    private readonly file: string,
    private readonly args: readonly string[],
    private readonly env: NodeJS.ProcessEnv,
    private readonly log: Logger,
    private readonly onStart: (child: ChildProcess) => void = () => undefined,
  ) {}

  get process(): ChildProcess | undefined {
    return this.#process;
  }

  start(): void {
    const child = fork(this.file, [...this.args], { env: this.env, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#process = child;
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        resolve();
        if (this.#stopping) return;
        this.log.error({ child: child.pid, code, signal, args: this.args }, "a process ended by itself; it is started again");
        setTimeout(() => {
          if (!this.#stopping) this.start();
        }, RESTART_MS);
      });
    });
    this.onStart(child);
  }

  /** Asks the process to end and waits until it has; one that does not is killed. */
  async stop(killAfterMs = KILL_AFTER_MS): Promise<void> {
    this.#stopping = true;
    this.#process?.kill("SIGTERM");
    const killing = setTimeout(() => {
      this.log.error({ child: this.#process?.pid, args: this.args }, "a process did not end when it was told to; it is killed");
      this.#process?.kill("SIGKILL");
    }, killAfterMs);
    await this.#exited;
    clearTimeout(killing);
  }
}
