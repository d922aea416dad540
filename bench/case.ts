/** What a case is given and what it gives back. */

export interface CaseContext {
  /** Fewer and shorter runs. */
  readonly quick: boolean;
  /** A folder of the case's own; removed after it. */
  readonly dir: string;
  /** Something to stop at the end, whatever comes of the case; last in, first out. */
  defer(stop: () => unknown): void;
  /** Progress, for a person. */
  note(text: string): void;
}

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A figure that the design wants on one side of a limit. */
export interface Bound {
  readonly name: string;
  readonly value: number;
  /** Least and greatest of the runs whose median `value` is, where there were several. */
  readonly range?: readonly [min: number, max: number];
  readonly relation: "≥" | "≤" | "<";
  readonly limit: number;
  /** What the design would like, beyond the limit. */
  readonly aim?: number;
  /** Put behind the numbers: ` ms`. */
  readonly unit?: string;
}

export interface CaseResult {
  readonly title: string;
  /** What is measured, in a few sentences. */
  readonly about: string;
  readonly tables: readonly Table[];
  readonly bounds: readonly Bound[];
  readonly remarks: readonly string[];
  /** Why the figures must not be used: degraded answers, errors. Empty for a valid case. */
  readonly invalid: readonly string[];
  /** The name of an SVG beside RESULTS.md. */
  readonly figure?: string;
  /** Every run, for results.json. */
  readonly runs: unknown;
}

export function isReached({ value, relation, limit }: Bound): boolean {
  if (relation === "≥") return value >= limit;
  return relation === "≤" ? value <= limit : value < limit;
}
