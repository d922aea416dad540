/** A redis-server of the harness' own, on a port of loopback: it can be killed, frozen and given other data apart from the engine. */
import type { ChildProcess } from "node:child_process";
import type { Redis } from "ioredis";
import { askRedis, endProcess, spawnRedis } from "../helpers/own-redis.js";
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
    this.#process = spawnRedis(this.dir, { port: this.port, appendfsync: this.fsync }, flags);
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
  kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    return endProcess(this.#process, signal);
  }

  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Some work on a connection of its own. */
  with<T>(work: (redis: Redis) => Promise<T>, password?: string): Promise<T> {
    return askRedis(this.port, password === undefined ? {} : { password }, work);
  }
}
