/** What Redis itself tells at a scrape: the stream, what is published, its memory. */
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { Gauge, Registry } from "prom-client";
import type { Keys } from "../redis/keys.js";
import { readStreamState, type StreamState } from "../redis/stream-state.js";
import { compareStreamIds } from "../stream-id.js";
import type { Metrics } from "./messages.js";

/** A Redis that takes longer is down, as far as a scrape is concerned. */
const WAIT_MS = 1_000;

interface Reading {
  readonly stream: StreamState;
  /** Age of the oldest entry that some sink has not acknowledged; 0 when there is none. */
  readonly oldestSeconds: number;
  /** Null when nothing is published. */
  readonly version: string | null;
  readonly usedMemory: number;
  /** 0 stands for no limit. */
  readonly maxMemory: number;
}

export class RedisMetrics {
  #reading: Promise<Reading | undefined> | undefined;

  /** @param redis a connection of its own that fails at once while Redis is away */
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  /** The metrics of now, after a second at most. */
  async collect(): Promise<Metrics> {
    // Never two at once: a Redis that hangs shall not have a line of questions before it.
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return render(await Promise.race([this.#reading, delay(WAIT_MS, undefined, { ref: false })]));
  }

  close(): void {
    this.redis.disconnect();
  }

  /** Undefined when Redis does not answer, or answers with an error: it is down. */
  async #read(): Promise<Reading | undefined> {
    try {
      const [info, [seconds], version, stream] = await Promise.all([
        this.redis.info("memory"),
        this.redis.time(),
        this.redis.get(this.keys.version),
        readStreamState(this.redis, this.keys.stream),
      ]);
      const bytes = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
      const oldest = await this.#oldest(stream);
      const oldestSeconds = oldest === null ? 0 : Math.max(0, Number(seconds) - Number(oldest.split("-")[0]) / 1_000);
      return { stream, oldestSeconds, version, usedMemory: bytes("used_memory"), maxMemory: bytes("maxmemory") };
    } catch {
      return undefined;
    }
  }

  /** The oldest entry that is pending in a group or unread by one; with no group, the oldest. */
  async #oldest({ entries, lastId, groups }: StreamState): Promise<string | null> {
    if (entries === 0) return null;
    if (groups.length === 0) return this.#next("-");
    const ids = await Promise.all(
      groups.map(({ oldestPending, lastDelivered }) => oldestPending ?? (lastDelivered === lastId ? null : this.#next(`(${lastDelivered}`))),
    );
    return ids.filter((id) => id !== null).sort(compareStreamIds)[0] ?? null;
  }

  async #next(from: string): Promise<string | null> {
    return (await this.redis.xrange(this.keys.stream, from, "+", "COUNT", 1))[0]?.[0] ?? null;
  }
}

/** Made anew for each scrape, so that what is unknown is left out instead of old. */
async function render(reading: Reading | undefined): Promise<Metrics> {
  const registry = new Registry();
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
    new Gauge({ name, help, labelNames, aggregator: "first", registers: [registry] });
  gauge("popup_redis_up", "1 when Redis answers").set(reading ? 1 : 0);
  if (reading) {
    const { stream, oldestSeconds, version, usedMemory, maxMemory } = reading;
    gauge("popup_redis_used_memory_bytes", "Redis' memory in use").set(usedMemory);
    gauge("popup_redis_maxmemory_bytes", "Redis' limit of memory, 0 for none").set(maxMemory);
    gauge("popup_stream_entries", "Entries of the event stream, the acknowledged ones of the last minute too").set(stream.entries);
    gauge("popup_stream_oldest_seconds", "Age of the oldest entry that a sink has not acknowledged").set(oldestSeconds);
    const lag = gauge("popup_stream_lag", "Entries that no worker has read, by sink", ["group"]);
    const pending = gauge("popup_stream_pending", "Entries read and not acknowledged, by sink", ["group"]);
    for (const group of stream.groups) {
      lag.set({ group: group.name }, group.lag);
      pending.set({ group: group.name }, group.pending);
    }
    const published = gauge("popup_published_version_info", "The version that is live", ["version"]);
    if (version !== null) published.set({ version }, 1);
  }
  return registry.getMetricsAsJSON();
}
