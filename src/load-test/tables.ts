/** A result as rows, for the terminal and the page. */
import { isDegraded, isError, KINDS, type Kind, OUTCOMES } from "./outcome.js";
import type { BenchResult, Figures } from "./result.js";

export const FIGURES_HEAD = ["", "requests", "rps", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"] as const;
export const OUTCOMES_HEAD = ["request", "outcome", "count", "share"] as const;

const OUTCOME_TEXT: Record<string, string> = {
  popup: "200 popup",
  none: "204 none",
  counted: "202 counted",
  duplicate: "202 duplicate",
  capped: "202 capped",
  spooled: "202 spooled",
  other: "2xx of another form",
  error_timeout: "error: timed out",
  error_connection: "error: connection refused or lost",
};

/** GET, POST, all; a kind that was not asked for is left out. */
export function figureRows(result: BenchResult): (string | number)[][] {
  const row = (name: string, f: Figures): (string | number)[] => [
    name,
    f.requests,
    Math.round(f.rps),
    ...[f.p50_ms, f.p90_ms, f.p99_ms, f.p999_ms, f.max_ms].map((ms) => (ms === null ? "–" : shortMs(ms))),
  ];
  const kinds = KINDS.filter((kind) => result[kind].requests > 0);
  return [...kinds.map((kind) => row(kind.toUpperCase(), result[kind])), row("all", result)];
}

/** What came of the requests; outcomes that never came are left out. */
export function outcomeRows(result: BenchResult): [string, string, number, string][] {
  return KINDS.flatMap((kind) =>
    ordered(result, kind).map(([outcome, n]): [string, string, number, string] => [
      kind.toUpperCase(),
      outcomeText(outcome),
      n,
      `${((100 * n) / result[kind].requests).toFixed(2)} %`,
    ]),
  );
}

/** Two digits behind the point under 10 ms, one above: what is left out is noise. */
const shortMs = (ms: number): number => Number(ms.toFixed(ms < 10 ? 2 : 1));

/** For people; a dash where nothing was measured. */
export function msText(ms: number | null): string {
  return ms === null ? "–" : shortMs(ms).toLocaleString("en-US");
}

function outcomeText(outcome: string): string {
  if (isDegraded(outcome)) return `204 degraded: ${outcome.slice("degraded_".length)}`;
  return OUTCOME_TEXT[outcome] ?? (isError(outcome) ? `error: status ${outcome.slice("error_".length)}` : outcome);
}

function ordered(result: BenchResult, kind: Kind): [string, number][] {
  const place = (outcome: string): number => {
    const at = OUTCOMES[kind].indexOf(outcome);
    return at >= 0 ? at : OUTCOMES[kind].length + (isDegraded(outcome) ? 0 : 1);
  };
  return Object.entries(result.outcomes[kind])
    .filter(([, n]) => n > 0)
    .sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
}
