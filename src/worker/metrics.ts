/** What a worker counts, by sink. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { BatchResult } from "./worker.js";

/** Seconds: a commit of a few events takes milliseconds, one of 10,000 some tenths, one that waits for a lock a second. */
const BATCH_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface SinkMetrics {
  batch(result: BatchResult): void;
  failed(): void;
  trouble(cause: string | undefined): void;
}

export class WorkerMetrics {
  readonly registry = new Registry();
  readonly #events = new Counter({
    name: "popup_worker_events_total",
    help: "Events from the stream, by what became of them",
    labelNames: ["sink", "result"] as const,
    registers: [this.registry],
  });
  readonly #batches = new Histogram({
    name: "popup_worker_batch_seconds",
    help: "The sink's time for a batch",
    labelNames: ["sink"] as const,
    buckets: BATCH_BUCKETS,
    registers: [this.registry],
  });
  readonly #failures = new Counter({
    name: "popup_worker_failures_total",
    help: "Rounds that failed and are tried again",
    labelNames: ["sink"] as const,
    registers: [this.registry],
  });
  readonly #trouble = new Gauge({
    name: "popup_worker_trouble",
    help: "1 while the worker cannot work",
    labelNames: ["sink"] as const,
    aggregator: "max",
    registers: [this.registry],
  });

  /** What a sink's worker tells. */
  of(sink: string): SinkMetrics {
    for (const result of ["written", "duplicate", "dead"]) this.#events.inc({ sink, result }, 0);
    this.#failures.inc({ sink }, 0);
    this.#trouble.set({ sink }, 0);
    return {
      batch: ({ added, duplicates, dead, seconds }) => {
        this.#events.inc({ sink, result: "written" }, added);
        this.#events.inc({ sink, result: "duplicate" }, duplicates);
        this.#events.inc({ sink, result: "dead" }, dead);
        this.#batches.observe({ sink }, seconds);
      },
      failed: () => this.#failures.inc({ sink }),
      trouble: (cause) => this.#trouble.set({ sink }, cause === undefined ? 0 : 1),
    };
  }

  /** Where there is a store. @param countDead how many dead events it has */
  watchDead(countDead: () => number): void {
    new Gauge({
      name: "popup_dead_events",
      help: "Events that are set aside in the store",
      aggregator: "max",
      registers: [this.registry],
      collect() {
        try {
          this.set(countDead());
        } catch {
          // The store cannot be read now, which is the worker's trouble; the last number stands until it can.
        }
      },
    });
  }
}
