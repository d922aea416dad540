/** `popup serve` with its processes, as an operator would start it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { POPUP } from "../../dist/private-engine.js";
import { bareNode } from "../helpers/node.js";
import { until } from "../helpers/until.js";
import { childrenOf, commandOf, isRunning, ROLES, type Role, roleOf, signal } from "./proc.js";

export interface ServePlan {
  readonly port: number;
  readonly adminPort: number;
  readonly dataDir: string;
  readonly redisUrl: string;
  /** Two, so that a killed one leaves another. */
  readonly processes: number;
  /** More of the environment. */
  readonly env: NodeJS.ProcessEnv;
  /** For its Node processes. */
  readonly nodeOptions?: string;
  readonly logFile: string;
}

export class Serve {
  #process: ChildProcess | undefined;
  /** Every child that was seen. */
  readonly #children = new Set<number>();

  constructor(readonly plan: ServePlan) {}

  get url(): string {
    return `http://127.0.0.1:${this.plan.port}`;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.plan.adminPort}`;
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    const { port, adminPort, dataDir, redisUrl, processes, env, nodeOptions, logFile } = this.plan;
    const log = openSync(logFile, "a");
    const child = spawn(
      "env",
      [...bareNode(nodeOptions), POPUP, "serve", "--port", String(port), "--admin", `127.0.0.1:${adminPort}`, "--processes", String(processes)],
      {
        env: { ...process.env, POPUP_DATA: dataDir, POPUP_REDIS_URL: redisUrl, POPUP_ACTOR: "chaos", ...env },
        stdio: ["ignore", "ignore", log],
      },
    );
    closeSync(log);
    this.#process = child;
    await until("popup serve answers", () => {
      if (child.exitCode !== null) throw new Error(`popup serve ended with ${child.exitCode}: ${readFileSync(logFile, "utf8").slice(-2_000)}`);
      return fetch(`${this.url}/healthz`).then(
        (answer) => answer.ok,
        () => false,
      );
    });
  }

  /** The pids that play a part now. */
  pids(role: Role): number[] {
    const supervisor = this.#process?.pid ?? 0;
    if (role === "supervisor") return isRunning(supervisor) ? [supervisor] : [];
    const pids = childrenOf(supervisor)
      .filter(({ command }) => roleOf(command) === role)
      .map(({ pid }) => pid);
    for (const pid of pids) this.#children.add(pid);
    return pids;
  }

  /** Kills what plays a part; resolves when another one plays it, unless it is the supervisor. @param most how many of them */
  async kill(role: Role, most = Number.POSITIVE_INFINITY): Promise<void> {
    const killed = this.pids(role).slice(0, most);
    const before = this.pids(role).length;
    for (const pid of killed) signal(pid, "SIGKILL");
    await until(`the killed ${role} is gone`, () => killed.every((pid) => !isRunning(pid)));
    if (role !== "supervisor") await until(`${role} is started again`, () => this.pids(role).length >= before);
  }

  /** Kills every process of it at once. */
  async killAll(): Promise<void> {
    const pids = ROLES.flatMap((role) => this.pids(role));
    for (const pid of pids) signal(pid, "SIGKILL");
    await until("every process is gone", () => pids.every((pid) => !isRunning(pid)));
  }

  /** Kills the supervisor alone; resolves when its children have ended by themselves. */
  async killSupervisor(): Promise<void> {
    const children = ROLES.filter((role) => role !== "supervisor").flatMap((role) => this.pids(role));
    await this.kill("supervisor");
    await until("the children of a killed supervisor have ended", () => children.every((pid) => !isRunning(pid)));
  }

  /** Ends it as an operator does; kills what is left of it after `patienceMs`. */
  async stop(patienceMs = 15_000): Promise<void> {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      await exited;
      clearTimeout(timer);
    }
    // Orphans of a killed supervisor, should they not have ended by themselves.
    for (const pid of this.#children) if (roleOf(commandOf(pid)) !== undefined) signal(pid, "SIGKILL");
  }
}
