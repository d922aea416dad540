/** What one API process counts. The admin listener adds the processes up. */
import { Counter, Histogram, Registry } from "prom-client";

/** Seconds; fine around the few milliseconds aimed at, with the deadline of 40 ms and the promise of 50 ms as bounds. */
const LATENCY_BUCKETS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.04, 0.05, 0.1, 1];

export class HttpMetrics {
  readonly registry = new Registry();
  readonly #decisions = new Counter({
    name: "popup_decisions_total",
    help: "Answers to GET popup, by result",
    labelNames: ["result"] as const,
    registers: [this.registry],
  });
  readonly #reports = new Counter({
    name: "popup_reports_total",
    help: "Answers to reports, by type and result",
    labelNames: ["type", "result"] as const,
    registers: [this.registry],
  });
  readonly #refused = new Counter({
    name: "popup_refused_total",
    help: "Requests refused as wrong, by status",
    labelNames: ["status"] as const,
    registers: [this.registry],
  });
  readonly #latency = new Histogram({
    name: "popup_decision_seconds",
    help: "From a GET's arrival to its answer",
    buckets: LATENCY_BUCKETS,
    registers: [this.registry],
  });

  /** @param seconds from arrival to answer */
  decided(result: string, seconds: number): void {
    this.#decisions.inc({ result });
    this.#latency.observe(seconds);
  }

  reported(type: string, result: string): void {
    this.#reports.inc({ type, result });
  }

  refused(status: number): void {
    this.#refused.inc({ status });
  }
}
