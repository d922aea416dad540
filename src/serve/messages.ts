/** What the supervisor and its child processes say to each other. */
import type { MetricObjectWithValues, MetricValue } from "prom-client";

/** A registry as JSON. */
export type Metrics = MetricObjectWithValues<MetricValue<string>>[];

export type ApiMessage =
  | { readonly kind: "listening" }
  | { readonly kind: "failed"; readonly message: string; readonly hint: string | null }
  | { readonly kind: "metrics"; readonly id: number; readonly metrics: Metrics };

export interface SupervisorMessage { readonly ask: "metrics"; readonly id: number }
