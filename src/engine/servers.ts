/**
 * The servers that decisions are asked of, each by a link of its own: one Redis, or the masters of a Redis Cluster. One that is away
 * troubles those users only whose partitions it has.
 *
 * The client of this path does not follow redirections by itself: behind one there may be a server whose counters nobody has looked at yet.
 */
import type { Redis } from "ioredis";
import { reasonOf } from "../errors.js";
import { readSlots, type SlotRange } from "../redis/slots.js";
import { Link } from "./link.js";

/** Trouble is over when it has not been seen for this long: some calls may work while others fail. */
const CALM_MS = 2_000;

export interface ServersOptions {
  /** A connection to the one Redis, or to any node of a cluster. */
  readonly redis: Redis;
  /** Makes a connection like it to another node. */
  readonly connect: (host: string, port: number) => Redis;
  /** Awaited when a server is new, or back, before it is used. */
  readonly onReady: (link: Link) => Promise<void>;
  /** Told of trouble whenever it is seen, and once (undefined) when it is over. */
  readonly onIncident: (cause: string | undefined) => void;
}

export class Servers {
  /** To the server that was named, whatever it is by now: a node without slots also tells who has them. */
  readonly #first: Link;
  /** The masters of a cluster, by HOST:PORT. */
  #masters: ReadonlyMap<string, Link> = new Map();
  /** The master of each slot. */
  #owners: readonly (Link | undefined)[] = [];
  #known = "";
  #reading: Promise<void> | undefined;
  #troubledAt: number | undefined;
  #closed = false;

  constructor(private readonly options: ServersOptions) {
    this.#first = new Link(
      options.redis,
      async (link) => {
        if (link.cluster) await this.read();
        await options.onReady(link);
      },
      (error) => this.note(error),
    );
  }

  /** Whether they are a Redis Cluster; false until a server was seen. */
  get cluster(): boolean {
    return this.#first.cluster;
  }

  /** Whether one of them can be asked. */
  get usable(): boolean {
    return this.#first.usable || [...this.#masters.values()].some((link) => link.usable);
  }

  /** The link to the server that has a slot. Undefined while nobody is known to have it. */
  ofSlot(slot: number): Link | undefined {
    return this.#first.cluster ? this.#owners[slot] : this.#first;
  }

  /** Waits for the first connections, for a while. */
  async warmUp(): Promise<void> {
    await this.#first.warmUp();
    await Promise.all([...this.#masters.values()].map((link) => (link.usable ? undefined : link.warmUp())));
  }

  /** Greets servers that could not be greeted, and reads again who has which slots. Rejects when no server tells. */
  async refresh(): Promise<void> {
    const links = [this.#first, ...this.#masters.values()];
    await Promise.all(links.map((link) => (link.usable ? undefined : link.greet())));
    if (this.cluster) await this.read();
  }

  /** Reads who has which slots. Calls at the same time share one reading. Rejects when no server tells. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    let failure: unknown = new Error("no node of the cluster can be reached");
    for (const { redis } of new Set([...this.#masters.values(), this.#first])) {
      if (redis.status !== "ready") continue;
      try {
        this.#use(await readSlots(redis));
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #use(ranges: readonly SlotRange[]): void {
    if (this.#closed) return;
    const known = JSON.stringify(ranges);
    if (known === this.#known) return;
    this.#known = known;
    const masters = new Map<string, Link>();
    const owners: (Link | undefined)[] = [];
    for (const { first, last, host, port } of ranges) {
      const name = `${host}:${port}`;
      const link = masters.get(name) ?? this.#masters.get(name) ?? this.#linkTo(host, port);
      masters.set(name, link);
      owners.length = Math.max(owners.length, last + 1);
      owners.fill(link, first, last + 1);
    }
    const gone = [...this.#masters.values()].filter((link) => link !== this.#first && ![...masters.values()].includes(link));
    this.#masters = masters;
    this.#owners = owners;
    for (const link of gone) link.redis.disconnect();
  }

  #linkTo(host: string, port: number): Link {
    const { redis, connect, onReady } = this.options;
    if (redis.options.host === host && redis.options.port === port) return this.#first;
    return new Link(connect(host, port), onReady, (error) => this.note(`${host}:${port}: ${reasonOf(error)}`));
  }

  /** Notes trouble, or (undefined) that none was seen just now. */
  note(error: unknown): void {
    const now = performance.now();
    if (error !== undefined) {
      this.#troubledAt = now;
      this.options.onIncident(reasonOf(error));
    } else if (this.#troubledAt !== undefined && now - this.#troubledAt >= CALM_MS) {
      this.#troubledAt = undefined;
      this.options.onIncident(undefined);
    }
  }

  close(): void {
    this.#closed = true;
    for (const link of new Set([...this.#masters.values(), this.#first])) link.redis.disconnect();
  }
}
