/** What Redis itself tells at a scrape: the stream, what is published, its memory. */
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster, Redis } from "ioredis";
import { Gauge, Registry } from "prom-client";
import { type RedisLink, serversOf } from "../redis/cluster.js";
import { infoField } from "../redis/info.js";
import type { Keys } from "../redis/keys.js";
import { readLayout } from "../redis/layout.js";
import { reach } from "../redis/reach.js";
import { identify } from "../redis/run-id.js";
import { readSlots, type SlotRange } from "../redis/slots.js";
import { readStreamState, type StreamState } from "../redis/stream-state.js";
import { compareStreamIds } from "../stream-id.js";
import type { Metrics } from "./messages.js";

/** A Redis that takes longer is down, as far as a scrape is concerned. */
const WAIT_MS = 1_000;

interface Reading {
  /** False when a master of a cluster is away. */
  readonly whole: boolean;
  /** Of all partitions. */
  readonly entries: number;
  readonly groups: ReadonlyMap<string, { readonly lag: number; readonly pending: number }>;
  /** Age of the oldest entry that some sink has not acknowledged; 0 when there is none. */
  readonly oldestSeconds: number;
  /** Those that are live; empty when nothing is published in one of the partitions. */
  readonly versions: ReadonlySet<string>;
  readonly usedMemory: number;
  /** Of all masters together; 0 stands for no limit. */
  readonly maxMemory: number;
}

export class RedisMetrics {
  #reading: Promise<Reading | undefined> | undefined;
  #cluster: Cluster | undefined;

  /**
   * @param redis a connection of its own that fails at once while Redis is away
   * @param keys the names of all partitions
   * @param connect makes connections like it to all servers, where it is one to a node of a cluster
   */
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly connect?: (nodes: readonly SlotRange[]) => Cluster,
  ) {}

  /** The metrics of now, after a second at most. */
  async collect(): Promise<Metrics> {
    // Never two at once: a Redis that hangs shall not have a line of questions before it.
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return render(await Promise.race([this.#reading, delay(WAIT_MS, undefined, { ref: false })]));
  }

  close(): void {
    this.redis.disconnect();
    this.#cluster?.disconnect();
  }

  async #link(): Promise<RedisLink> {
    if (this.#cluster || !this.connect || !(await identify(this.redis)).cluster) return this.#cluster ?? this.redis;
    this.#cluster = this.connect(await readSlots(this.redis));
    return this.#cluster;
  }

  /** Undefined when Redis does not answer, or answers with an error: it is down. */
  async #read(): Promise<Reading | undefined> {
    try {
      const redis = await this.#link();
      const { partitions } = await readLayout(redis, this.keys);
      const { here, trouble } = await reach(redis, this.keys.split(partitions), ({ stream }) => stream);
      const memories = await Promise.all(serversOf(redis).map((server) => memoryOf(server, trouble !== undefined)));
      const [seconds] = await redis.time();
      const parts = await Promise.all(here.map((keys) => readPart(redis, keys)));
      const oldest = firstOf(parts.map((part) => part.oldest));
      const versions = parts.map(({ version }) => version);
      return {
        whole: trouble === undefined,
        entries: parts.reduce((sum, { stream }) => sum + stream.entries, 0),
        groups: sumGroups(parts.flatMap(({ stream }) => stream.groups)),
        oldestSeconds: oldest === null ? 0 : Math.max(0, Number(seconds) - Number(oldest.split("-")[0]) / 1_000),
        versions: new Set(versions.includes(null) ? [] : versions.filter((version) => version !== null)),
        usedMemory: memories.reduce((sum, { used }) => sum + used, 0),
        maxMemory: memories.some(({ max }) => max === 0) ? 0 : memories.reduce((sum, { max }) => sum + max, 0),
      };
    } catch {
      return undefined;
    }
  }
}

async function readPart(redis: RedisLink, { version, stream }: Keys): Promise<{ version: string | null; stream: StreamState; oldest: string | null }> {
  const [live, state] = await Promise.all([redis.get(version), readStreamState(redis, stream)]);
  return { version: live, stream: state, oldest: await oldestIn(redis, stream, state) };
}

/** The oldest entry that is pending in a group or unread by one; with no group, the oldest. */
async function oldestIn(redis: RedisLink, stream: string, { entries, lastId, groups }: StreamState): Promise<string | null> {
  if (entries === 0) return null;
  const next = async (from: string): Promise<string | null> => (await redis.xrange(stream, from, "+", "COUNT", 1))[0]?.[0] ?? null;
  if (groups.length === 0) return next("-");
  return firstOf(
    await Promise.all(groups.map(({ oldestPending, lastDelivered }) => oldestPending ?? (lastDelivered === lastId ? null : next(`(${lastDelivered}`)))),
  );
}

/** Bytes. @param some whether a server that does not answer is passed over */
async function memoryOf(server: Redis, some: boolean): Promise<{ used: number; max: number }> {
  const info = await server.info("memory").catch((error: unknown) => {
    if (some) return "";
    throw error;
  });
  const bytes = (name: string): number => Number(infoField(info, name) ?? 0);
  return { used: bytes("used_memory"), max: bytes("maxmemory") };
}

function firstOf(ids: readonly (string | null)[]): string | null {
  return ids.filter((id) => id !== null).sort(compareStreamIds)[0] ?? null;
}

function sumGroups(groups: StreamState["groups"]): Reading["groups"] {
  const sums = new Map<string, { lag: number; pending: number }>();
  for (const { name, lag, pending } of groups) {
    const sum = sums.get(name) ?? { lag: 0, pending: 0 };
    sums.set(name, { lag: sum.lag + lag, pending: sum.pending + pending });
  }
  return sums;
}

/** Made anew for each scrape, so that what is unknown is left out instead of old. */
async function render(reading: Reading | undefined): Promise<Metrics> {
  const registry = new Registry();
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
    new Gauge({ name, help, labelNames, aggregator: "first", registers: [registry] });
  gauge("popup_redis_up", "1 when Redis answers, every master of a cluster").set(reading?.whole ? 1 : 0);
  if (reading) {
    const { entries, groups, oldestSeconds, versions, usedMemory, maxMemory } = reading;
    gauge("popup_redis_used_memory_bytes", "Redis' memory in use").set(usedMemory);
    gauge("popup_redis_maxmemory_bytes", "Redis' limit of memory, 0 for none").set(maxMemory);
    gauge("popup_stream_entries", "Entries of the event stream, the acknowledged ones of the last minute too").set(entries);
    gauge("popup_stream_oldest_seconds", "Age of the oldest entry that a sink has not acknowledged").set(oldestSeconds);
    const lag = gauge("popup_stream_lag", "Entries that no worker has read, by sink", ["group"]);
    const pending = gauge("popup_stream_pending", "Entries read and not acknowledged, by sink", ["group"]);
    for (const [group, sums] of groups) {
      lag.set({ group }, sums.lag);
      pending.set({ group }, sums.pending);
    }
    const published = gauge("popup_published_version_info", "The version that is live", ["version"]);
    for (const version of versions) published.set({ version }, 1);
  }
  return registry.getMetricsAsJSON();
}
