/** Stored = counted, and no cap exceeded, by the times of the stored events. */
import { type Cap, formatCap } from "../../../dist/caps.js";
import { formatDay } from "../../../dist/time.js";
import type { Case, Finding } from "./findings.js";
import { groupBy } from "./group.js";

export function checkCounters({ reading, rules }: Case): Finding[] {
  const stored = countedTimes(reading.events);
  const findings: Finding[] = [];
  for (const user of new Set([...stored.keys(), ...reading.counters.keys()])) {
    for (const { id } of rules.campaigns) {
      const events = stored.get(user)?.get(id)?.length ?? 0;
      const counter = reading.counters.get(user)?.get(id) ?? 0;
      if (events === counter) continue;
      findings.push({
        kind: counter > events ? "doubled" : "uncounted",
        count: Math.abs(counter - events),
        text: `${user}, campaign ${id}: Redis counts ${counter}, the store has ${events}`,
      });
    }
  }
  return findings;
}

export function checkCaps({ reading, rules }: Case): Finding[] {
  const findings: Finding[] = [];
  const object = (whose: string, caps: readonly Cap[], times: readonly number[]): void => {
    for (const cap of caps) {
      const count = excess(cap, times);
      if (count > 0) findings.push({ kind: "over cap", count, text: `${whose}: ${count} more than ${formatCap(cap)}` });
    }
  };
  for (const [user, byCampaign] of countedTimes(reading.events)) {
    for (const { id, caps } of rules.campaigns) object(`${user}, campaign ${id}`, caps, byCampaign.get(id) ?? []);
    object(`${user}, all campaigns`, rules.policy, [...byCampaign.values()].flat());
  }
  return findings;
}

/** Times of the counted impressions: user → campaign → epoch ms. */
function countedTimes(events: Case["reading"]["events"]): Map<string, Map<number, number[]>> {
  const counted = events.filter(({ type, overCap }) => type === "impression" && !overCap);
  const byUser = [...groupBy(counted, ({ userId }) => userId)];
  return new Map(
    byUser.map(([user, own]) => [user, new Map([...groupBy(own, ({ campaignId }) => campaignId)].map(([id, shows]) => [id, shows.map(({ at }) => at)]))]),
  );
}

/** How many of the showings at these times are more than the cap allows. Calendar days are UTC's. */
function excess(cap: Cap, times: readonly number[]): number {
  if (cap.window === "total") return Math.max(0, times.length - cap.limit);
  if (cap.window === "day") {
    const days = groupBy(times, (at) => formatDay(at, "UTC"));
    return [...days.values()].reduce((sum, inDay) => sum + Math.max(0, inDay.length - cap.limit), 0);
  }
  if (cap.window !== "rolling") throw new Error(`the checker knows no ${cap.window} caps`);
  const sorted = [...times].sort((a, b) => a - b);
  // One that is as old as the window is long is still in it.
  return sorted.filter((at, i) => i >= cap.limit && at - (sorted[i - cap.limit] ?? 0) <= cap.durationMs).length;
}
