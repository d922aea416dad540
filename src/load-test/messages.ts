/** What the command and its load processes say to each other. */
import type { Mix } from "./mix.js";
import type { Share } from "./schedule.js";
import type { PackedTally } from "./tally.js";
import type { UsersSource } from "./users.js";

/** What one process shall do. */
export interface GeneratorPlan {
  readonly url: string;
  readonly connections: number;
  /** Requests per second of all processes together, or null for a closed loop. */
  readonly ratePerS: number | null;
  readonly share: Share;
  readonly warmupS: number;
  readonly durationS: number;
  readonly timeoutS: number;
  readonly mix: Mix;
  readonly users: UsersSource;
  readonly seed: number;
}

/** What came back in one second of the measured time. */
export interface Second {
  /** From 0 on. */
  readonly index: number;
  /** Requests that ended, errors included. */
  readonly requests: number;
  readonly errors: number;
  /** A packed histogram. */
  readonly latency: string;
}

export interface GeneratorReport {
  readonly measured: PackedTally;
  readonly warmup: PackedTally;
  /** Requests of the measured time that were due and never sent. */
  readonly unsent: number;
  /** GETs sent in place of POSTs, warm-up included. */
  readonly replaced: number;
  /** From the beginning of the measured time to its last answer, s. */
  readonly lastAnswerS: number;
  /** CPU time by wall time in the measured time: 1 is a whole core. */
  readonly cpu: number;
  /** Share of the measured time in which its event loop had work. */
  readonly busy: number;
  /** How late requests were sent though a connection was free, as a packed histogram. */
  readonly late: string;
}

export type GeneratorMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "second"; readonly second: Second }
  | { readonly kind: "report"; readonly report: GeneratorReport }
  | { readonly kind: "failed"; readonly message: string; readonly hint: string | null };

export interface CommandMessage {
  readonly tell: "start" | "stop";
}
