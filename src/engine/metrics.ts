/** What one API process tells of its Redis and its spool. The admin listener adds the processes up. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Spool } from "../spool/spool.js";
import type { Clock } from "../time.js";
import type { Engine } from "./engine.js";

/** Seconds; fine around the tenths of a millisecond that a call takes, with the deadline of 40 ms as a bound. */
const CALL_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.1, 1];

export class EngineMetrics {
  readonly #calls: Histogram<"call">;
  readonly #failed: Counter<"call">;
  /** Counted here and told at a scrape: a label's own counter costs a decision more than all that is around it. */
  readonly #impressions = new Map<number, number>();

  constructor(
    private readonly registry: Registry,
    private readonly clock: Clock,
  ) {
    const registers = [registry];
    this.#calls = new Histogram({
      name: "popup_redis_call_seconds",
      help: "Calls to Redis, each for up to 128 requests, until their answer or failure",
      labelNames: ["call"],
      buckets: CALL_BUCKETS,
      registers,
    });
    this.#failed = new Counter({
      name: "popup_redis_failed_calls_total",
      help: "Calls to Redis that it did not answer or answered with an error",
      labelNames: ["call"],
      registers,
    });
  }

  called(call: "select" | "report", seconds: number, answered: boolean): void {
    this.#calls.observe({ call }, seconds);
    if (!answered) this.#failed.inc({ call });
  }

  shown(campaignId: number): void {
    this.#impressions.set(campaignId, (this.#impressions.get(campaignId) ?? 0) + 1);
  }

  /** Tells of the engine's state at every scrape. */
  watch(engine: Engine, spool: Spool | null): void {
    const registers = [this.registry];
    new Gauge({
      name: "popup_breaker_open",
      help: "API processes that ask Redis only now and then, because it fails or hangs",
      labelNames: ["of"],
      registers,
      collect() {
        const { decisions, reports } = engine.paused;
        this.set({ of: "decisions" }, decisions ? 1 : 0);
        this.set({ of: "reports" }, reports ? 1 : 0);
      },
    });
    const impressions = this.#impressions;
    new Counter({
      name: "popup_impressions_total",
      help: "Impressions that were counted, of the campaigns that are active",
      labelNames: ["campaign"],
      registers,
      collect() {
        this.reset();
        for (const [campaign, count] of impressions) {
          // Over the years there are many campaigns, and each would stay on every page.
          if (engine.popups.has(campaign)) this.inc({ campaign }, count);
          else impressions.delete(campaign);
        }
      },
    });
    new Gauge({
      name: "popup_campaign_info",
      help: "1 for each campaign that is active, with its title",
      labelNames: ["campaign", "title"],
      registers,
      aggregator: "first",
      collect() {
        this.reset();
        for (const [campaign, { title }] of engine.popups) this.set({ campaign, title }, 1);
      },
    });
    new Gauge({
      name: "popup_recovering",
      help: "API processes that show only campaigns without limits, until sync has looked at Redis' counters",
      registers,
      collect() {
        this.set(engine.recovering ? 1 : 0);
      },
    });
    new Gauge({
      name: "popup_spool_records",
      help: "Reports on disk that Redis has not taken yet",
      registers,
      collect() {
        this.set(spool?.records ?? 0);
      },
    });
    new Gauge({
      name: "popup_spool_bytes",
      help: "Their size",
      registers,
      collect() {
        this.set(spool?.bytes ?? 0);
      },
    });
    const { clock } = this;
    new Gauge({
      name: "popup_spool_oldest_seconds",
      help: "The age of the oldest of them",
      registers,
      aggregator: "max",
      collect() {
        this.set(spool?.oldestAt === undefined ? 0 : Math.max(0, (clock() - spool.oldestAt) / 1000));
      },
    });
  }
}
