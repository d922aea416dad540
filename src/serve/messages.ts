/** What the supervisor and its child processes say to each other. */
import type { MetricObjectWithValues, MetricValue } from "prom-client";
import type { AuthSettings } from "../auth/settings.js";

/** What an API process is started with; it reads the rest from its environment. */
export interface ApiProcessOptions {
  readonly host: string;
  readonly port: number;
  /** Reports that it may keep on disk while Redis is away; 0 keeps none. */
  readonly spoolMaxBytes: number;
  readonly auth: AuthSettings;
  /** Whose pages may read the answers, beside the engine's own: exact origins, or `*`. */
  readonly corsOrigins: readonly string[];
  /** Whether `GET /demo` shows the demo page. */
  readonly demo: boolean;
  /** For how long it drains after SIGTERM, ms. */
  readonly drainMs: number;
  /** Whether another engine has the port: then it listens when it is ready. */
  readonly beside: boolean;
}

/** A registry as JSON. */
export type Metrics = MetricObjectWithValues<MetricValue<string>>[];

export type ApiMessage =
  | { readonly kind: "listening" }
  | { readonly kind: "failed"; readonly message: string; readonly hint: string | null }
  | { readonly kind: "metrics"; readonly id: number; readonly metrics: Metrics };

export interface SupervisorMessage {
  readonly ask: "metrics";
  readonly id: number;
}
