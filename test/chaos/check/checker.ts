/** The verdict on a run: a pure function of what the customers remember, what is stored and what is counted. */
import { type Entry, isAccepted, keyOf } from "../history.js";
import { checkCaps, checkCounters } from "./caps.js";
import { type Case, FINDING_KINDS, type Finding, type FindingKind } from "./findings.js";
import { checkKept, checkTotals } from "./kept.js";
import { checkReserved, checkShown } from "./shown.js";

export interface Verdict {
  readonly requests: number;
  readonly gets: number;
  /** Reports, each once however often it was sent, that had an answer of acceptance. */
  readonly accepted: number;
  /** Answers that said so. */
  readonly spooled: number;
  /** GETs without a decision, by cause. */
  readonly degraded: Readonly<Record<string, number>>;
  /** Requests whose connection was refused or lost. */
  readonly connectionsLost: number;
  /** From sending to answer, at the client, ms. */
  readonly worstGetMs: number;
  readonly counts: Readonly<Record<FindingKind, number>>;
  readonly findings: readonly Finding[];
  /** True when nothing is wrong; what a fault destroyed together with everyone who knew of it is told, and no fault of the engine's. */
  readonly holds: boolean;
}

export function check(run: Case): Verdict {
  const { entries, breaksConnections } = run;
  const findings = [
    ...checkKept(run),
    ...checkTotals(run),
    ...checkCounters(run),
    ...checkCaps(run),
    ...checkShown(run),
    ...checkReserved(run),
    ...entries.flatMap((entry) => bareFinding(entry, breaksConnections)),
  ];
  const counts = Object.fromEntries(
    FINDING_KINDS.map((kind) => [kind, findings.reduce((sum, finding) => sum + (finding.kind === kind ? finding.count : 0), 0)]),
  ) as Record<FindingKind, number>;
  const gets = entries.filter(({ kind }) => kind === "get");
  const degraded: Record<string, number> = {};
  for (const { answer } of gets) {
    if (answer.kind === "none" && answer.degraded !== null) degraded[answer.degraded] = (degraded[answer.degraded] ?? 0) + 1;
  }
  return {
    requests: entries.length,
    gets: gets.length,
    accepted: new Set(entries.flatMap((entry) => (entry.kind !== "get" && isAccepted(entry.answer) ? [keyOf(entry.user, entry.kind, entry.id)] : []))).size,
    spooled: entries.filter(({ answer }) => answer.kind === "spooled").length,
    degraded,
    connectionsLost: entries.filter(({ answer }) => answer.kind === "lost").length,
    worstGetMs: gets.reduce((worst, { sent, answered, answer }) => (answer.kind === "lost" ? worst : Math.max(worst, answered - sent)), 0),
    counts,
    findings,
    holds: findings.every(({ kind }) => kind === "destroyed"),
  };
}

/** What a single answer is enough to object to. */
function bareFinding({ kind, user, answer }: Entry, breaksConnections: boolean): Finding[] {
  if (answer.kind === "wrong") return [{ kind: "answer", count: 1, text: `${kind} of ${user}: ${answer.status} ${answer.text.slice(0, 200)}` }];
  if (answer.kind === "unanswered") return [{ kind: "unanswered", count: 1, text: `${kind} of ${user} had no answer` }];
  if (answer.kind === "lost" && !breaksConnections) return [{ kind: "connection", count: 1, text: `${kind} of ${user}: its connection was lost` }];
  return [];
}
