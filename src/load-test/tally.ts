/** Counting one phase of a load test: outcomes and latencies by kind of request. Tallies of several processes are added up. */
import { type Latency, newLatency, packLatency, recordMs, sumOf, unpackLatency } from "./latency.js";
import { CONNECTION_ERROR, isError, KINDS, type Kind, OUTCOMES, TIMEOUT_ERROR } from "./outcome.js";

export interface KindTally {
  /** How many requests ended so; the sum is the number of requests. */
  readonly outcomes: Record<string, number>;
  /**
   * The 2xx answers, and what timed out with the time that was waited: it would have taken longer still.
   * Other errors are counted only. A refusal is quick, and would make the engine look quicker than it is.
   */
  readonly latency: Latency;
}

export type Tally = Record<Kind, KindTally>;
/** A tally on its way between processes. */
export type PackedTally = Record<Kind, { readonly outcomes: Record<string, number>; readonly latency: string }>;

export function newTally(): Tally {
  const kind = (name: Kind): KindTally => ({ outcomes: Object.fromEntries(OUTCOMES[name].map((outcome) => [outcome, 0])), latency: newLatency() });
  return { get: kind("get"), post: kind("post") };
}

/** Whether a request with this outcome is one of the latencies. */
export const isTimed = (outcome: string): boolean => !isError(outcome) || outcome === TIMEOUT_ERROR;

/** @param ms from when the request was due to its answer */
export function count(tally: KindTally, outcome: string, ms: number): void {
  tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1;
  if (isTimed(outcome)) recordMs(tally.latency, ms);
}

export function packTally(tally: Tally): PackedTally {
  const kind = ({ outcomes, latency }: KindTally): PackedTally[Kind] => ({ outcomes, latency: packLatency(latency) });
  return { get: kind(tally.get), post: kind(tally.post) };
}

export function addTallies(parts: readonly PackedTally[]): Tally {
  const sum = newTally();
  for (const part of parts) {
    for (const kind of KINDS) {
      for (const [outcome, n] of Object.entries(part[kind].outcomes)) sum[kind].outcomes[outcome] = (sum[kind].outcomes[outcome] ?? 0) + n;
      sum[kind].latency.add(unpackLatency(part[kind].latency));
    }
  }
  return sum;
}

/** GET and POST together. */
export function together(tally: Tally): KindTally {
  const outcomes: Record<string, number> = {};
  for (const kind of KINDS) for (const [outcome, n] of Object.entries(tally[kind].outcomes)) outcomes[outcome] = (outcomes[outcome] ?? 0) + n;
  return { outcomes, latency: sumOf(KINDS.map((kind) => tally[kind].latency)) };
}

export function total({ outcomes }: Pick<KindTally, "outcomes">, counts: (outcome: string) => boolean = () => true): number {
  return Object.entries(outcomes).reduce((sum, [outcome, n]) => (counts(outcome) ? sum + n : sum), 0);
}

/** Answers of any kind: what came back at all. */
export const isAnswered = (outcome: string): boolean => outcome !== CONNECTION_ERROR && outcome !== TIMEOUT_ERROR;
