/** One scrape of a whole engine: every child process that answers, how many they are, and Redis. */
import type { ChildProcess } from "node:child_process";
import { Gauge, Registry } from "prom-client";
import { askMetrics } from "./ask-metrics.js";
import type { Metrics } from "./messages.js";

/** `process` is undefined while a child is started again. */
export interface Part {
  readonly name: string;
  readonly process: ChildProcess | undefined;
}

/** @param redis the metrics of Redis */
export async function collectMetrics(parts: readonly Part[], redis: () => Promise<Metrics>): Promise<Metrics[]> {
  const registry = new Registry();
  const running = new Gauge({
    name: "popup_processes",
    help: "Processes that answered this scrape, by part",
    labelNames: ["part"] as const,
    registers: [registry],
  });
  for (const { name } of parts) running.set({ part: name }, 0);
  const asked = parts.map(async ({ name, process }) => {
    const metrics = process && (await askMetrics(process));
    if (metrics) running.inc({ part: name });
    return metrics ?? [];
  });
  const [ofRedis, ...answers] = await Promise.all([redis(), ...asked]);
  return [ofRedis, ...answers, await registry.getMetricsAsJSON()];
}
