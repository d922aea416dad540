/** The engine's connection to one server: whether it can be used, and which server is at its other end. */
import type { Redis } from "ioredis";
import { loadDecisionScripts } from "../redis/decisions.js";
import { identify } from "../redis/run-id.js";

/** A Redis that takes longer to connect to is away; the process listens without it. */
const WARM_UP_MS = 3_000;

export class Link {
  #runId: string | undefined;
  #cluster = false;
  #greeting: Promise<void> | undefined;
  /** Counts connections: what was asked on one says nothing about the next. */
  #connection = 0;

  /**
   * @param onReady awaited when a server is new, or back, before it is used
   * @param note told of trouble
   */
  constructor(
    readonly redis: Redis,
    private readonly onReady: (link: Link) => Promise<void>,
    private readonly note: (error: unknown) => void,
  ) {
    redis.on("error", (error: Error) => this.note(error));
    redis.on("close", () => {
      this.#connection++;
      this.#runId = undefined;
    });
    redis.on("ready", () => void this.greet());
  }

  /** True while there is a connection, and it is known to whom. */
  get usable(): boolean {
    return this.#runId !== undefined && this.redis.status === "ready";
  }

  /** The server's run id, undefined while there is none. */
  get runId(): string | undefined {
    return this.#runId;
  }

  /** Whether the server is, or was when it was last seen, a node of a Redis Cluster. */
  get cluster(): boolean {
    return this.#cluster;
  }

  /** Waits for the first connection to be made or to fail, at most {@link WARM_UP_MS}. */
  async warmUp(): Promise<void> {
    await this.connected();
    await this.greet();
  }

  /** Waits for a connection to be made or to fail, at most {@link WARM_UP_MS}. */
  connected(): Promise<void> {
    if (this.redis.status === "ready") return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, WARM_UP_MS);
      for (const event of ["ready", "close"]) {
        this.redis.once(event, () => {
          clearTimeout(timer);
          resolve();
        });
      }
    });
  }

  /** What a server that is new, or back, is told and asked before the first decision. Calls at the same time share one. */
  greet(): Promise<void> {
    this.#greeting ??= this.#greet().finally(() => {
      this.#greeting = undefined;
    });
    return this.#greeting;
  }

  async #greet(): Promise<void> {
    if (this.redis.status !== "ready") return;
    const connection = this.#connection;
    try {
      // Not lost when it fails: a script that the server does not know is loaded when it is called.
      await loadDecisionScripts(this.redis);
    } catch (error) {
      this.note(error);
    }
    try {
      const { runId, cluster } = await identify(this.redis);
      this.#cluster = cluster;
      await this.onReady(this);
      if (connection === this.#connection) this.#runId = runId;
    } catch (error) {
      this.note(error);
    }
  }
}
