/** Accepted = stored, once; and every answer says what became of the report. */
import type { PopupEvent } from "../../../dist/event.js";
import { isAccepted, keyOf, type ReportEntry } from "../history.js";
import type { Case, Finding } from "./findings.js";
import { groupBy } from "./group.js";

/** All that was sent under one key, in the order of the answers. */
type Sent = ReportEntry[];

export function checkKept({ entries, reading, destroyed, forgotten }: Case): Finding[] {
  const findings: Finding[] = [];
  const reports = entries.filter((entry): entry is ReportEntry => entry.kind !== "get");
  const sent: Map<string, Sent> = groupBy(reports, ({ user, kind, id }) => keyOf(user, kind, id));
  const stored = groupBy(reading.events, ({ userId, type, impressionId }) => keyOf(userId, type, impressionId));
  for (const [key, tries] of sent) {
    tries.sort((a, b) => a.answered - b.answered);
    const events = stored.get(key) ?? [];
    const kept = tries.some(({ answer }) => isAccepted(answer));
    const object = (kind: Finding["kind"], text: string): void =>
      void findings.push({ kind, count: 1, text: `${key}: ${text}; answers: ${tries.map(({ answer }) => answer.kind).join(", ")}` });
    if (events.length > 1) object("doubled", `stored ${events.length} times`);
    if (!kept && !tries.some(({ answer }) => answer.kind === "wrong")) object("refused", `never accepted in ${tries.length} tries`);
    if (kept && events.length === 0) object(forgotten && destroyed.has(key) ? "destroyed" : "lost", "accepted, not stored");
    checkAnswers(tries, events[0], destroyed.has(key), object);
  }
  for (const [key, events] of stored) {
    const tries = sent.get(key);
    if (!tries) findings.push({ kind: "phantom", count: 1, text: `${key}: stored, never sent` });
    else if (events.some(({ campaignId }) => campaignId !== tries[0]?.campaign))
      findings.push({ kind: "phantom", count: 1, text: `${key}: stored for another campaign than sent` });
  }
  return findings;
}

function checkAnswers(tries: Sent, event: PopupEvent | undefined, destroyed: boolean, object: (kind: Finding["kind"], text: string) => void): void {
  const has = (kind: string): boolean => tries.some(({ answer }) => answer.kind === kind);
  const counts = tries.filter(({ answer }) => answer.kind === "counted").length;
  // What was destroyed with Redis' data is new to Redis when it is made again, and caps may be full by then.
  if (destroyed) return;
  if (counts > 1) object("doubled", `answered counted ${counts} times`);
  if (has("counted") && event?.overCap === true) object("answer", "answered counted, stored as over the cap");
  if (has("capped") && event?.overCap === false) object("answer", "answered capped, stored as counted");
  if (has("counted") && has("capped")) object("answer", "answered counted, and capped");
  const [only] = tries;
  if (tries.length === 1 && only?.answer.kind === "duplicate") object("answer", "sent once, answered duplicate");
}

/** Of each customer and campaign every total is told once: two reports that count to the same total are one lost update. */
export function checkTotals({ entries, destroyed }: Case): Finding[] {
  const hit = new Set([...destroyed].map((key) => key.split(" ")[0]));
  const told = new Map<string, string>();
  const findings: Finding[] = [];
  for (const entry of entries) {
    if (entry.kind === "get" || entry.answer.kind !== "counted" || hit.has(entry.user)) continue;
    const total = `${entry.user}, campaign ${entry.campaign}: total ${entry.answer.total}`;
    const other = told.get(total);
    if (other !== undefined && other !== entry.id) findings.push({ kind: "answer", count: 1, text: `${total} was answered for ${other} and for ${entry.id}` });
    told.set(total, entry.id);
  }
  return findings;
}
