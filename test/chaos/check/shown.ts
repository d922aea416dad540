/** No customer sees what they must not, as far as a customer can be sure of it: judged by answers that came before the question. */
import { type Cap, formatCap } from "../../../dist/caps.js";
import { formatDay } from "../../../dist/time.js";
import { type Entry, type GetEntry, keyOf, type ReportEntry } from "../history.js";
import type { Case, Finding } from "./findings.js";
import { groupBy } from "./group.js";

export function checkShown({ entries, rules, destroyed, movesClock }: Case): Finding[] {
  const findings: Finding[] = [];
  const byUser = groupBy(entries, ({ user }) => user);
  const campaigns = new Map(rules.campaigns.map((campaign) => [campaign.id, campaign]));
  for (const [user, own] of byUser) {
    const told = own.filter((entry): entry is ReportEntry => entry.kind !== "get" && !destroyed.has(keyOf(user, entry.kind, entry.id)));
    const counted = told.filter(({ answer }) => answer.kind === "counted");
    for (const get of own) {
      if (get.kind !== "get" || get.answer.kind !== "popup") continue;
      const shown = get.answer.campaign;
      const object = (text: string): void => void findings.push({ kind: "shown", count: 1, text: `${user} was shown campaign ${shown} ${text}` });
      const campaign = campaigns.get(shown);
      if (!campaign) {
        object("that does not exist");
        continue;
      }
      if (campaign.members?.has(user) === false) object("of a target that they are not in");
      if (
        told.some(
          ({ kind, answer, campaign: of, answered }) =>
            of === shown && answered < get.sent && answer.kind === "recorded" && campaign.stopAfter.some((stop) => stop === kind),
        )
      )
        object("after they had stopped it");
      const full = (caps: readonly Cap[], reports: readonly ReportEntry[]): Cap | undefined => caps.find((cap) => isFull(cap, reports, get, movesClock));
      const cap =
        full(
          campaign.caps,
          counted.filter((report) => report.campaign === shown),
        ) ?? full(rules.policy, counted);
      if (cap) object(`though ${formatCap(cap)} had no room`);
    }
  }
  return findings;
}

/** True when the counted reports that were answered before the question was sent certainly filled the cap. */
function isFull(cap: Cap, counted: readonly ReportEntry[], get: GetEntry, movesClock: boolean): boolean {
  const before = counted.filter(({ answered }) => answered < get.sent);
  if (cap.window === "total") return before.length >= cap.limit;
  if (movesClock) return false;
  const today = formatDay(get.sent, "UTC");
  const certain = before.filter(({ sent }) => {
    // The engine took the report at some time between `sent` and `answered`, and decided between the GET's two times; their clocks tick in whole ms.
    if (cap.window === "rolling") return sent > get.answered - cap.durationMs + 2;
    return formatDay(sent, "UTC") === today && formatDay(get.answered, "UTC") === today;
  });
  return certain.length >= cap.limit;
}

/** With a reservation, a showing that is reported in time was given a place in the caps: it is never answered `capped`. */
export function checkReserved({ entries, rules, destroyed }: Case): Finding[] {
  if (rules.reserveS === 0) return [];
  const shownAt = new Map(
    entries.flatMap((entry: Entry) => (entry.kind === "get" && entry.answer.kind === "popup" ? [[entry.answer.id, entry.sent] as const] : [])),
  );
  return entries.flatMap((entry): Finding[] => {
    if (entry.kind === "get" || entry.answer.kind !== "capped" || destroyed.has(keyOf(entry.user, entry.kind, entry.id))) return [];
    const shown = shownAt.get(entry.id);
    if (shown === undefined || entry.answered > shown + rules.reserveS * 1_000) return [];
    return [
      {
        kind: "answer",
        count: 1,
        text: `${entry.user}, campaign ${entry.campaign}: ${entry.id} was capped ${Math.round(entry.answered - shown)} ms after its place was reserved`,
      },
    ];
  });
}
