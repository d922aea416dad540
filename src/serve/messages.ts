/** What the supervisor and its API processes say to each other. */
import type { MetricObjectWithValues, MetricValue } from "prom-client";

export type ApiMessage =
  | { readonly kind: "listening" }
  | { readonly kind: "failed"; readonly message: string; readonly hint: string | null }
  | { readonly kind: "metrics"; readonly id: number; readonly metrics: MetricObjectWithValues<MetricValue<string>>[] };

export interface SupervisorMessage { readonly ask: "metrics"; readonly id: number }
