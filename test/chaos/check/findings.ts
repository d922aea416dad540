/** What the checker objects to. */
import type { PopupEvent } from "../../../dist/event.js";
import type { Entry } from "../history.js";
import type { Rules } from "../population.js";

/**
 * `lost`: accepted, but not stored. `destroyed`: the same, where the fault took Redis' data together with the processes
 * that would have made the report again.
 * `uncounted`, `doubled`: Redis counts less or more than is stored, or one report was counted twice. `phantom`: stored
 * though never sent. `over cap`: more is counted than a cap allows, by the times of the events. `shown`: a popup that the
 * customer must not see. `answer`: an answer that cannot be true, or that the engine must not give. `unanswered`: a
 * request without an answer. `refused`: a report that was never accepted, though the system was well again.
 * `connection`: a connection lost where the fault is no reason for it.
 */
export const FINDING_KINDS = [
  "lost",
  "destroyed",
  "uncounted",
  "doubled",
  "phantom",
  "over cap",
  "shown",
  "answer",
  "unanswered",
  "refused",
  "connection",
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  readonly kind: FindingKind;
  /** How many it stands for. */
  readonly count: number;
  readonly text: string;
}

/** What is in the store and in Redis when everything has settled. */
export interface Reading {
  readonly events: readonly PopupEvent[];
  /** Impressions counted: user → campaign → count. */
  readonly counters: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

export interface Case {
  readonly entries: readonly Entry[];
  readonly reading: Reading;
  readonly rules: Rules;
  /** Keys of reports that were in Redis' stream when the fault destroyed its data: they are counted again, as if they came late. */
  readonly destroyed: ReadonlySet<string>;
  /** True when the fault also ends the API processes, and nobody is left to make them again. */
  readonly forgotten: boolean;
  /** True when the fault ends processes that customers are connected to. */
  readonly breaksConnections: boolean;
  /** True when the fault sets the engine's clock: its windows are not the customers' then. */
  readonly movesClock: boolean;
}
