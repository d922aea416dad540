/** A redis-server of the harness' own, on a port of loopback: it can be killed, frozen and given other data apart from the engine. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { until } from "../helpers/until.js";

export type Fsync = "always" | "everysec";

export class RedisServer {
  #process: ChildProcess | undefined;

  /**
   * @param dir its data; made where it is missing
   * @param fsync `always`: what was answered survives a kill; with `everysec` a write may wait for the disk for up to 2 s
   */
  constructor(
    public dir: string,
    readonly port: number,
    private readonly fsync: Fsync,
  ) {}

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Starts it on what is in its folder. @param flags more of redis-server's own @param loaded wait until it has read its data */
  async start(flags: readonly string[] = [], loaded = true): Promise<void> {
    mkdirSync(this.dir, { recursive: true });
    const log = openSync(join(this.dir, "redis.log"), "a");
    this.#process = spawn(
      "redis-server",
      [
        "--port",
        String(this.port),
        "--bind",
        "127.0.0.1",
        "--dir",
        this.dir,
        "--appendonly",
        "yes",
        "--appendfsync",
        this.fsync,
        "--save",
        "",
        "--hash-max-listpack-value",
        "1024",
        "--maxmemory-policy",
        "noeviction",
        ...flags,
      ],
      { stdio: ["ignore", log, log] },
    );
    closeSync(log);
    if (loaded) await this.untilLoaded();
  }

  async untilLoaded(): Promise<void> {
    await until("redis-server answers", () => {
      if (this.#process?.exitCode !== null) throw new Error(`redis-server ended by itself; its log is in ${this.dir}`);
      return this.with((redis) => redis.ping()).then(
        () => true,
        () => false,
      );
    });
  }

  /** Ends it at once and waits until it has. */
  async kill(name: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(name);
    await exited;
  }

  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Some work on a connection of its own. */
  async with<T>(work: (redis: Redis) => Promise<T>, password?: string): Promise<T> {
    const redis = new Redis({
      host: "127.0.0.1",
      port: this.port,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      ...(password === undefined ? {} : { password }),
    });
    // What goes wrong is told by the command that it went wrong for.
    redis.on("error", () => undefined);
    try {
      await redis.connect();
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }
}
