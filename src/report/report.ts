/** What became of campaigns: figures as `popup report --json` prints them. */
import type { Campaign } from "../campaign.js";
import { type Reach, reachOf } from "../reach/reach.js";
import type { Store } from "../store/store.js";
import { parseTarget } from "../target.js";
import { Calendar, type Unit } from "./calendar.js";
import { type Counts, Tallier, type Tally } from "./tally.js";

export interface ReportAsk {
  /** One campaign, or null for all. */
  readonly id: number | null;
  /** Epoch ms, from inclusive, to exclusive. */
  readonly from: number;
  readonly to: number;
  readonly by: Unit;
  /** The zone whose days and hours are meant. */
  readonly timezone: string;
}

/** A day or an hour, as `2026-11-23` or `2026-11-23T14:00:00+07:00`. */
export type Period = Counts & { readonly [unit in Unit]?: string };

/** Users with as many counted impressions as `from` to `to`; null for no end. */
export interface Share {
  readonly from: number;
  readonly to: number | null;
  readonly users: number;
}

export interface CampaignReport extends Counts {
  readonly campaign_id: number;
  readonly title: string;
  /** Users whom the target means now; null where that is not countable: then all but `everyone_but`. Both null of a deleted campaign. */
  readonly reach: number | null;
  readonly everyone_but: number | null;
  /** Clicks per impression, four digits behind the point; null without an impression. */
  readonly click_rate: number | null;
  /** Impressions per user who has seen it, two digits behind the point; null without one. */
  readonly impressions_per_user: number | null;
  readonly distribution: readonly Share[];
  /** Those with an event. */
  readonly days?: readonly Period[];
  readonly hours?: readonly Period[];
}

const SHARES: readonly (readonly [from: number, to: number | null])[] = [
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 5],
  [6, 10],
  [11, 20],
  [21, 50],
  [51, 100],
  [101, null],
];

/** The campaigns there are, and those that are gone and have events; by id. All figures are of one moment. */
export function reportOf(store: Store, ask: ReportAsk): CampaignReport[] {
  return store.snapshot(() => {
    const { id, from, to, by, timezone } = ask;
    const view = store.rollups.view();
    const tallier = new Tallier(from, to, new Calendar(timezone, by));
    const campaigns = new Map<number, Campaign | undefined>(view.campaignIds.map((one) => [one, undefined]));
    for (const campaign of store.campaigns.list()) campaigns.set(campaign.id, campaign);
    const wanted = [...campaigns].filter(([one]) => id === null || one === id).sort(([a], [b]) => a - b);
    return wanted.map(([campaignId, campaign]) => {
      const reach = campaign && reachOf(store, { target: parseTarget(campaign.target), campaignId });
      return figures(campaignId, campaign?.title ?? "(not in this store)", reach, tallier.tally(view.pieces(campaignId, from, to)), by);
    });
  });
}

function figures(campaignId: number, title: string, reach: Reach | undefined, counted: Tally, by: Unit): CampaignReport {
  const { impressions, users, clicks, dismissals, over_cap } = counted;
  const periods = counted.periods.map(({ name, ...counts }) => ({ [by]: name, ...counts }));
  return {
    campaign_id: campaignId,
    title,
    impressions,
    users,
    reach: reach?.users ?? null,
    everyone_but: reach?.everyone_but ?? null,
    clicks,
    click_rate: ratio(clicks, impressions, 10_000),
    dismissals,
    over_cap,
    impressions_per_user: ratio(impressions, users, 100),
    distribution: sharesOf(counted.usersByImpressions),
    ...(by === "day" ? { days: periods } : { hours: periods }),
  };
}

/** Rounded to 1/`digits`; null for a part of nothing. */
export function ratio(part: number, whole: number, digits: number): number | null {
  return whole === 0 ? null : Math.round((part * digits) / whole) / digits;
}

/** Up to the last that has users. */
function sharesOf(usersByImpressions: readonly number[]): Share[] {
  const shares = SHARES.map(([from, to]) => ({
    from,
    to,
    users: usersByImpressions.slice(from, (to ?? usersByImpressions.length) + 1).reduce((sum, users) => sum + users, 0),
  }));
  return shares.slice(0, shares.findLastIndex(({ users }) => users > 0) + 1);
}

/** The periods of a report, whichever they are of. */
export const periodsOf = (report: CampaignReport): readonly Period[] => report.days ?? report.hours ?? [];
