/**
 * What customers who have seen nothing yet would be shown first, by the campaigns that are active and the audiences as they are.
 * Caps do not matter to a first popup. The decision itself is made in Lua; `test/reach` holds the two together.
 */
import type { Campaign } from "../campaign.js";
import { bySelection } from "../packed-list.js";
import type { Store } from "../store/store.js";
import { parseTarget } from "../target.js";
import { and, type Bits, evaluate, matches } from "./bits.js";
import { type Aim, Population, refOf, refsOf } from "./population.js";
import { countBits, meansOthers, without } from "./reach.js";

export interface SimulatedCampaign {
  readonly campaign_id: number;
  readonly title: string;
  readonly priority: number;
  readonly target: string;
  /** Known users whom the target means. */
  readonly reach: number;
  /** Those of them who are shown this campaign first. */
  readonly first: number;
  /** Whether it is what users are shown who are in no audience of these campaigns. */
  readonly shown_to_others: boolean;
  /** Someone is meant, and nobody is shown it first. */
  readonly starved: boolean;
  /** The campaign that takes the most of its users, of those before it; null when none does. */
  readonly starved_by: number | null;
}

export interface Simulation {
  /** Epoch ms. */
  readonly at: number;
  /** Users in any audience that these campaigns name. */
  readonly users: number;
  /** Those of them who are shown nothing. */
  readonly none: number;
  readonly campaigns: readonly SimulatedCampaign[];
}

interface Running extends Aim {
  readonly campaign: Campaign;
  reach: number;
  first: number;
  readonly taken: number[];
}

/** @param at epoch ms: campaigns whose window holds it take part */
export function simulate(store: Store, at: number): Simulation {
  return store.snapshot(() => {
    const running: Running[] = store.campaigns
      .list()
      .filter((c) => c.status === "active" && c.start_time <= at && at < c.end_time)
      .sort(bySelection)
      .map((campaign, _n, all) => ({ campaign, campaignId: campaign.id, target: parseTarget(campaign.target), reach: 0, first: 0, taken: all.map(() => 0) }));
    const population = new Population(store, running.flatMap(refsOf));
    // A target that names a segment which is gone matches nobody, even under a `!`.
    const live = running.filter((one) => refsOf(one).every((ref) => ref.kind === "users" || population.has(ref)));
    let users = 0;
    let none = 0;
    for (const { everyone, membersOf } of population.chunks()) {
      users += countBits(everyone);
      let left: Bits = everyone;
      const firsts: Bits[] = [];
      for (const one of live) {
        const meant = and(
          everyone,
          evaluate(one.target, (leaf) => membersOf(refOf(leaf, one.campaignId))),
        );
        const first = and(left, meant);
        one.reach += countBits(meant);
        one.first += countBits(first);
        // It matters only of one that is starved in the end.
        if (one.first === 0) for (const [n, before] of firsts.entries()) one.taken[n] = (one.taken[n] ?? 0) + countBits(and(meant, before));
        firsts.push(first);
        left = without(left, first);
      }
      none += countBits(left);
    }
    for (const isIn of population.strings()) {
      users++;
      let shown: number | undefined;
      for (const [n, one] of live.entries()) {
        if (!matches(one.target, (leaf) => isIn(refOf(leaf, one.campaignId)))) continue;
        one.reach++;
        if (shown === undefined) {
          one.first++;
          shown = n;
        } else one.taken[shown] = (one.taken[shown] ?? 0) + 1;
      }
      if (shown === undefined) none++;
    }
    const others = live.find((one) => meansOthers(one.target));
    return { at, users, none, campaigns: running.map((one) => resultOf(one, live, others)) };
  });
}

function resultOf(one: Running, live: readonly Running[], others: Running | undefined): SimulatedCampaign {
  const { id, title, priority, target } = one.campaign;
  const isMeant = one.reach > 0 || (live.includes(one) && meansOthers(one.target));
  const starved = isMeant && one.first === 0 && one !== others;
  const most = Math.max(...one.taken);
  const by = (most > 0 ? live[one.taken.indexOf(most)] : others)?.campaign.id ?? null;
  return {
    campaign_id: id,
    title,
    priority,
    target,
    reach: one.reach,
    first: one.first,
    shown_to_others: one === others,
    starved,
    starved_by: starved ? by : null,
  };
}
