/** The table of faults, as Markdown. */
import type { FindingKind } from "./check/findings.js";
import { holds, type Outcome } from "./run.js";

/** One row: a fault's outcome, or why there is none. */
export type Row = { readonly outcome: Outcome } | { readonly name: string; readonly title: string; readonly skipped: string };

const HEAD = [
  "fault",
  "requests",
  "accepted",
  "spooled",
  "lost",
  "uncounted",
  "doubled",
  "over cap",
  "wrongly shown",
  "other faults",
  "destroyed with Redis",
  "GETs degraded",
  "longest without a decision, s",
  "worst GET (client stalled), ms",
  "over 50 ms at the engine",
  "well after, s",
  "memory, MiB (peak)",
  "verdict",
];
const OTHERS: readonly FindingKind[] = ["phantom", "answer", "unanswered", "refused", "connection"];

export function renderTable(rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(HEAD), line(HEAD.map((_, i) => (i === 0 || i === HEAD.length - 1 ? "---" : "---:"))), ...rows.map((row) => line(cellsOf(row)))].join("\n");
}

function cellsOf(row: Row): string[] {
  if (!("outcome" in row)) return [row.title, ...HEAD.slice(2).map(() => ""), `not run: ${row.skipped}`];
  const { fault, verdict, trouble, settledS, stallMs, lateDecisions, gapMs, notes, grownBytes, peakBytes } = row.outcome;
  const { counts, degraded } = verdict;
  const gets = Object.entries(degraded).map(([cause, n]) => `${number(n)} ${cause}`);
  return [
    [fault.title, ...notes].join("; "),
    number(verdict.requests),
    number(verdict.accepted),
    number(verdict.spooled),
    ...(["lost", "uncounted", "doubled", "over cap", "shown"] as const).map((kind) => number(counts[kind])),
    OTHERS.filter((kind) => counts[kind] > 0)
      .map((kind) => `${number(counts[kind])} ${kind}`)
      .join(", ") || "0",
    number(counts.destroyed),
    `${gets.join(", ") || "0"} of ${number(verdict.gets)}`,
    (gapMs / 1e3).toFixed(1),
    `${Math.round(verdict.worstGetMs)} (${Math.round(stallMs)})`,
    lateDecisions === undefined ? "–" : number(lateDecisions),
    trouble === undefined ? settledS.toFixed(1) : "never",
    `${mib(grownBytes)} (${mib(peakBytes)})`,
    holds(row.outcome) ? "holds" : "**broken**",
  ];
}

/** What was objected to, fault by fault; empty when nothing was. @param most findings of a fault */
export function renderFindings(rows: readonly Row[], most: number): string {
  return rows.flatMap((row) => ("outcome" in row && !holds(row.outcome) ? [findingsOf(row.outcome, most)] : [])).join("\n\n");
}

function findingsOf({ fault, verdict, trouble, folder }: Outcome, most: number): string {
  const findings = verdict.findings.filter(({ kind }) => kind !== "destroyed");
  const lines = [
    ...(trouble === undefined ? [] : [`- not well: ${trouble}`]),
    ...findings.slice(0, most).map(({ kind, text }) => `- ${kind}: ${text}`),
    ...(findings.length > most ? [`- and ${number(findings.length - most)} more`] : []),
    ...(folder === undefined ? [] : [`- kept in ${folder}`]),
  ];
  return `**${fault.title}** (\`${fault.name}\`)\n\n${lines.join("\n")}`;
}

const number = (value: number): string => value.toLocaleString("en-US");
const mib = (bytes: number): string => `${bytes < 0 ? "−" : "+"}${Math.abs(Math.round(bytes / 2 ** 20))}`;
