/** What a running engine does, from two scrapes of its metrics: rates of what they count, and the state of now. */
import type { Exposition, Wanted } from "../doctor/exposition.js";

/** What an alarm of popup doctor would be, in words. */
export interface Alarm {
  readonly alarm: string;
  readonly level: "alarm" | "warning";
  readonly what: string;
}

export interface CampaignRate {
  readonly campaign_id: number;
  /** Null where the engine does not tell it. */
  readonly title: string | null;
  readonly impressions_per_s: number;
  /** Since the API processes were started. */
  readonly impressions: number;
}

/** Rates are per second between the scrapes; null stands for what the engine does not tell. */
export interface TopView {
  readonly seconds: number;
  /** Processes that answered, by part. */
  readonly processes: Readonly<Record<string, number>>;
  readonly decisions_per_s: number;
  readonly shown_per_s: number;
  readonly none_per_s: number;
  /** By cause, those that happened. */
  readonly degraded_per_s: Readonly<Record<string, number>>;
  /** Of decisions; null where there were none. */
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  /** By result, those that happened: counted, duplicate, capped, recorded, spooled, … */
  readonly reports_per_s: Readonly<Record<string, number>>;
  readonly campaigns: readonly CampaignRate[];
  readonly stream: { readonly entries: number; readonly lag: number; readonly pending: number; readonly oldest_s: number } | null;
  readonly worker: { readonly written_per_s: number; readonly dead: number } | null;
  readonly spool: { readonly records: number; readonly bytes: number; readonly oldest_s: number };
  readonly redis: { readonly up: boolean; readonly used_bytes: number | null /** 0 for no limit. */; readonly max_bytes: number | null };
  /** Its version, and for how long it has not been known that Redis has what the store has, s. */
  readonly published: { readonly version: string | null; readonly age_s: number | null };
  readonly alarms: readonly Alarm[];
}

const PROPER = ["show", "none"];

/**
 * @param seconds between the scrapes
 * @param time of `now`, unix time, s
 */
export function viewOf(before: Exposition, now: Exposition, seconds: number, time: number, alarms: readonly Alarm[]): TopView {
  // A process that was started again counts from 0.
  const rate = (name: string, wanted: Wanted = {}): number => round(Math.max(0, (now.sum(name, wanted) ?? 0) - (before.sum(name, wanted) ?? 0)) / seconds);
  const rates = (name: string, leaveOut: readonly string[]): Record<string, number> => {
    const results = [...new Set(now.all(name).map(({ labels }) => labels.result ?? ""))].filter((result) => !leaveOut.includes(result));
    return Object.fromEntries(results.map((result) => [result, rate(name, { result })] as const).filter(([, n]) => n > 0));
  };
  const titles = new Map(now.all("popup_campaign_info").map(({ labels }) => [labels.campaign, labels.title ?? null]));
  const campaigns = [...new Set([...titles.keys(), ...now.all("popup_impressions_total").map(({ labels }) => labels.campaign)])]
    .filter((campaign) => campaign !== undefined)
    .map(
      (campaign): CampaignRate => ({
        campaign_id: Number(campaign),
        title: titles.get(campaign) ?? null,
        impressions_per_s: rate("popup_impressions_total", { campaign }),
        impressions: now.sum("popup_impressions_total", { campaign }) ?? 0,
      }),
    )
    .sort((a, b) => b.impressions_per_s - a.impressions_per_s || b.impressions - a.impressions || a.campaign_id - b.campaign_id);
  const entries = now.sum("popup_stream_entries");
  const current = now.sum("popup_sync_current_timestamp_seconds");
  return {
    seconds: round(seconds),
    processes: Object.fromEntries(now.all("popup_processes").map(({ labels, value }) => [labels.part ?? "", value])),
    decisions_per_s: rate("popup_decisions_total"),
    shown_per_s: rate("popup_decisions_total", { result: "show" }),
    none_per_s: rate("popup_decisions_total", { result: "none" }),
    degraded_per_s: rates("popup_decisions_total", PROPER),
    p50_ms: quantileMs(before, now, 0.5),
    p99_ms: quantileMs(before, now, 0.99),
    reports_per_s: rates("popup_reports_total", []),
    campaigns,
    stream:
      entries === undefined
        ? null
        : {
            entries,
            lag: now.sum("popup_stream_lag") ?? 0,
            pending: now.sum("popup_stream_pending") ?? 0,
            oldest_s: round(now.sum("popup_stream_oldest_seconds") ?? 0),
          },
    worker:
      now.sum("popup_worker_events_total") === undefined
        ? null
        : { written_per_s: rate("popup_worker_events_total", { result: "written" }), dead: now.sum("popup_dead_events") ?? 0 },
    spool: {
      records: now.sum("popup_spool_records") ?? 0,
      bytes: now.sum("popup_spool_bytes") ?? 0,
      oldest_s: round(now.sum("popup_spool_oldest_seconds") ?? 0),
    },
    redis: {
      up: now.sum("popup_redis_up") === 1,
      used_bytes: now.sum("popup_redis_used_memory_bytes") ?? null,
      max_bytes: now.sum("popup_redis_maxmemory_bytes") ?? null,
    },
    published: {
      version: now.all("popup_published_version_info")[0]?.labels.version ?? null,
      age_s: current === undefined ? null : round(Math.max(0, time - current)),
    },
    alarms,
  };
}

/**
 * A quantile of the decisions between the scrapes, as Prometheus' histogram_quantile estimates it: evenly spread within their
 * bucket; the last bound where it is beyond that. https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
function quantileMs(before: Exposition, now: Exposition, quantile: number): number | null {
  const BUCKET = "popup_decision_seconds_bucket";
  const buckets = now
    .all(BUCKET)
    .map(({ labels, value }) => ({
      bound: labels.le === "+Inf" ? Infinity : Number(labels.le),
      count: Math.max(0, value - (before.sum(BUCKET, { le: labels.le ?? "" }) ?? 0)),
    }))
    .sort((a, b) => a.bound - b.bound);
  const rank = quantile * (buckets.at(-1)?.count ?? 0);
  if (rank === 0) return null;
  const place = buckets.findIndex(({ count }) => count >= rank);
  const { bound, count } = buckets[place] ?? { bound: 0, count: 0 };
  const { bound: least, count: below } = buckets[place - 1] ?? { bound: 0, count: 0 };
  const seconds = bound === Infinity ? least : least + (bound - least) * ((rank - below) / (count - below));
  return Math.round(seconds * 1e5) / 100;
}

const round = (value: number): number => Math.round(value * 100) / 100;
