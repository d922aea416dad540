/** The engine's connection to Redis: whether it can be used, and which server is at its other end. */
import type { Redis } from "ioredis";
import { reasonOf } from "../errors.js";
import { loadDecisionScripts } from "../redis/decisions.js";
import { runIdOf } from "../redis/run-id.js";

/** A Redis that takes longer to connect to is away; the process listens without it. */
const WARM_UP_MS = 3_000;

export class Link {
  #runId: string | undefined;
  #greeting: Promise<void> | undefined;
  /** Counts connections: what was asked on one says nothing about the next. */
  #connection = 0;
  #incident: string | undefined;

  /**
   * @param onReady awaited when a server is new, or back, before it is used
   * @param onIncident told once when trouble begins and once when it is over (undefined)
   */
  constructor(
    readonly redis: Redis,
    private readonly onReady: () => Promise<void>,
    private readonly onIncident: (cause: string | undefined) => void,
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

  /** Waits for the first connection to be made or to fail, at most {@link WARM_UP_MS}. */
  async warmUp(): Promise<void> {
    if (this.redis.status !== "ready") {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, WARM_UP_MS);
        for (const event of ["ready", "close"]) {
          this.redis.once(event, () => {
            clearTimeout(timer);
            resolve();
          });
        }
      });
    }
    await this.greet();
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
      const runId = await runIdOf(this.redis);
      await this.onReady();
      if (connection === this.#connection) this.#runId = runId;
    } catch (error) {
      this.note(error);
    }
  }

  /** One call of `onIncident` per incident, not per request. */
  note(error: unknown): void {
    const incident = error === undefined ? undefined : reasonOf(error);
    if (incident === this.#incident) return;
    this.#incident = incident;
    this.onIncident(incident);
  }
}
