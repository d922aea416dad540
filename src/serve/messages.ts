/** What the supervisor and its API processes say to each other. */
import type { AuthSettings } from "../auth/settings.js";
import type { MetricObjectWithValues, MetricValue } from "prom-client";

/** What an API process is started with; it reads the rest from its environment. */
export interface ApiProcessOptions {
  readonly host: string;
  readonly port: number;
  /** Reports that it may keep on disk while Redis is away; 0 keeps none. */
  readonly spoolMaxBytes: number;
  readonly auth: AuthSettings;
}

export type ApiMessage =
  | { readonly kind: "listening" }
  | { readonly kind: "failed"; readonly message: string; readonly hint: string | null }
  | { readonly kind: "metrics"; readonly id: number; readonly metrics: MetricObjectWithValues<MetricValue<string>>[] };

export interface SupervisorMessage { readonly ask: "metrics"; readonly id: number }
