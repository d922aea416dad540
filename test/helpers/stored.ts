import type { Store } from "../../dist/store/store.js";

/** Counted impressions of campaign 1 in the store. */
export function storedImpressions(store: Store): number {
  return store.events.report(1, 0, Number.MAX_SAFE_INTEGER, "UTC")[0]?.impressions ?? 0;
}
