/** What a watching sync counts. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { PublishResult } from "./publish.js";

/** Seconds: a change of a campaign takes milliseconds, a list of millions of users some seconds. */
const PUBLISH_BUCKETS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60];

export class SyncMetrics {
  readonly registry = new Registry();
  readonly #publishes = new Counter({ name: "popup_sync_publishes_total", help: "New versions that went live", registers: [this.registry] });
  readonly #audiences = new Counter({ name: "popup_sync_audiences_sent_total", help: "Audiences sent to Redis", registers: [this.registry] });
  readonly #seconds = new Histogram({ name: "popup_sync_publish_seconds", help: "Time of a publish", buckets: PUBLISH_BUCKETS, registers: [this.registry] });
  readonly #trouble = new Gauge({ name: "popup_sync_trouble", help: "1 while sync cannot publish", aggregator: "max", registers: [this.registry] });
  readonly #published = new Gauge({
    name: "popup_sync_last_publish_timestamp_seconds",
    help: "When a new version last went live, unix time",
    aggregator: "max",
    registers: [this.registry],
  });
  readonly #current = new Gauge({
    name: "popup_sync_current_timestamp_seconds",
    help: "When Redis was last seen to have what the store has, unix time",
    aggregator: "max",
    registers: [this.registry],
  });

  /** @param now epoch ms */
  constructor(now: number) {
    // An age that counts from the start, instead of from 1970, until there is another.
    this.#current.set(now / 1_000);
  }

  /** @param now epoch ms */
  published(result: PublishResult, now: number): void {
    this.#publishes.inc();
    this.#audiences.inc(result.audiences_sent);
    this.#seconds.observe(result.seconds);
    this.#published.set(now / 1_000);
  }

  /** @param now epoch ms */
  current(now: number): void {
    this.#current.set(now / 1_000);
  }

  trouble(cause: string | undefined): void {
    this.#trouble.set(cause === undefined ? 0 : 1);
  }
}
