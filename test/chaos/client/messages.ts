/** What the harness and its client process say to each other. */
import type { Habits } from "./customer.js";

/** The client's only argument, as JSON. */
export interface LoadPlan {
  readonly url: string;
  /** Where the history goes. */
  readonly file: string;
  readonly seed: number;
  readonly habits: Habits;
}

export type ClientOrder =
  | { readonly order: "finish"; readonly patienceMs: number }
  /** So many GETs as fast as they can be sent, `together` of them waiting at any time, each on a connection of its own. */
  | { readonly order: "flood"; readonly gets: number; readonly together: number };

export type ClientMessage =
  | { readonly done: "flood" }
  /** Everything is written, and the process is about to end. `stallMs`: the longest that it did not run, and could not see an answer. */
  | { readonly done: "finish"; readonly stallMs: number }
  /** Requests that have ended. */
  | { readonly progress: number };
