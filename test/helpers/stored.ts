import { type CampaignReport, reportOf } from "../../dist/report/report.js";
import type { Store } from "../../dist/store/store.js";

/** What the store reports of all time, by UTC day. @param id one campaign, or null for all */
export function reportAll(store: Store, id: number | null): CampaignReport[] {
  return reportOf(store, { id, from: 0, to: Number.MAX_SAFE_INTEGER, by: "day", timezone: "UTC" });
}

/** Counted impressions of campaign 1 in the store. */
export function storedImpressions(store: Store): number {
  return reportAll(store, 1)[0]?.impressions ?? 0;
}
