/** Random campaigns, audiences and what operators do to them: in a store, and as the model knows them. */

import type { AudienceRef } from "../../dist/audience.js";
import { IdSet } from "../../dist/id-set.js";
import type { RedisLink } from "../../dist/redis/cluster.js";
import type { Keys } from "../../dist/redis/keys.js";
import { createCampaign, setStatus } from "../../dist/store/campaign-changes.js";
import type { Store } from "../../dist/store/store.js";
import { publish } from "../../dist/sync/publish.js";
import { refreshIndexes } from "../../dist/sync/sync.js";
import { campaignInput } from "./engine.js";
import { type Model, type ModelCampaign, type ModelCap, type ModelTarget, type ModelWorld, targetText } from "./model.js";
import type { Random } from "./random.js";
import { type Live, readLive } from "./worksheet.js";

export const DAY = 86_400_000;
export const ZONES = ["Asia/Jakarta", "Europe/Berlin", "UTC"];
/** Around a change of the clocks, a month's end, a year's end, and an ordinary day. */
export const STARTS = ["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z", "2026-06-30T09:00:00Z", "2026-12-30T21:00:00Z", "2026-06-10T12:00:00Z"].map((text) =>
  Date.parse(text),
);
/** Integer ids at the edges of bytes and chunks, and string ids that look like integers. */
export const USERS = ["0", "7", "8", "65535", "65536", "1000003", "007", "4294967296", "anna@bank", "u-1"];
const SEGMENTS = ["payroll", "staff", "vip"];
const ROLLING = [1_000, 30_000, 900_000, 6 * 3_600_000, DAY, 7 * DAY];

export interface World {
  readonly campaigns: ModelCampaign[];
  readonly segments: Map<string, Set<string>>;
  readonly lists: Map<number, Set<string>>;
}

/** A store's settings, segments and campaigns. */
export function fillWorld(
  store: Store,
  random: Random,
  now: number,
  { zone, policy, reserveS }: { zone: string; policy: readonly ModelCap[]; reserveS: number },
): World {
  const world: World = { campaigns: [], segments: new Map(), lists: new Map() };
  store.transaction(() => {
    store.settings.set("timezone", zone);
    store.settings.set("user_caps", policy.map(capText).join(","));
    store.settings.set("reserve", String(reserveS));
    for (const name of SEGMENTS) world.segments.set(name, load(store, random, { kind: "segment", name }));
    for (let i = random.between(2, 8); i > 0; i--) {
      const campaign = create(store, random, now, reserveS);
      world.campaigns.push(campaign);
      if (random.chance(0.7)) world.lists.set(campaign.id, load(store, random, { kind: "users", campaignId: campaign.id }));
    }
  });
  return world;
}

/** Publishes; now and then with an audience index, which a later publish uses as far as it still holds. The list of each partition. */
export async function goLive(redis: RedisLink, keys: Keys, store: Store, model: Model, world: ModelWorld, now: number, random: Random): Promise<Live[]> {
  await publish(store, redis, keys, now);
  if (random.chance(0.6)) await refreshIndexes(store, redis, keys.split(store.settings.partitions()), () => now, { fewest: 1 });
  model.publish({ campaigns: [...world.campaigns], segments: new Map(world.segments), lists: new Map(world.lists) }, now);
  return Promise.all(keys.split(store.settings.partitions()).map((part) => readLive(redis, part)));
}

function load(store: Store, random: Random, ref: AudienceRef): Set<string> {
  const members = new Set(random.some(USERS, 0.5));
  const ids = new IdSet();
  for (const id of members) ids.add(id);
  store.audiences.replace(ref, ids, random.pick(["auto", "bitmap", "set", "bloom"]), "test");
  return members;
}

function create(store: Store, random: Random, now: number, reserveS: number): ModelCampaign {
  const own = random.pick([null, null, 0, 600]);
  const start = now + random.pick([-DAY, -DAY, -DAY, 0, 3_600_000, 2 * DAY]);
  const fields = {
    // Few priorities and ends, so that ties happen at every level of the order.
    priority: random.between(-1, 2),
    start,
    end: start + random.pick([3 * DAY, 10 * DAY, 10 * DAY, 400 * DAY]),
    status: random.pick(["active", "active", "active", "active", "draft"] as const),
    target: target(random, 3),
    caps: caps(random, 4),
    exempt: random.chance(0.2),
    stopAfter: random.some(["click", "dismiss"] as const, 0.3),
    serve: random.chance(0.3),
    testUsers: random.chance(0.5) ? random.some(USERS, 0.4) : [],
    reserveMs: (own ?? reserveS) * 1000,
  };
  const { id } = createCampaign(
    store,
    campaignInput({
      priority: fields.priority,
      start_time: new Date(start).toISOString(),
      end_time: new Date(fields.end).toISOString(),
      status: fields.status,
      target: targetText(fields.target),
      caps: fields.caps.map(capText),
      exempt: fields.exempt,
      stop_after: fields.stopAfter,
      count_on: fields.serve ? "serve" : "impression",
      reserve: own,
      test_users: fields.testUsers,
    }),
  );
  return { id, ...fields };
}

/** Something an operator does: a status, new members, a segment that goes away. */
export function change(store: Store, random: Random, world: World): void {
  const at = random.between(0, world.campaigns.length - 1);
  const campaign = world.campaigns[at];
  if (!campaign) return;
  const what = random.between(0, 9);
  if (what < 5) {
    const next = { draft: ["active"], active: ["paused", "paused", "ended"], paused: ["active", "active", "ended"], ended: ["ended"] } as const;
    const status = random.pick<ModelCampaign["status"]>(next[campaign.status]);
    setStatus(store, campaign.id, status, "test");
    world.campaigns[at] = { ...campaign, status };
  } else if (what < 7) {
    world.lists.set(
      campaign.id,
      store.transaction(() => load(store, random, { kind: "users", campaignId: campaign.id })),
    );
  } else {
    const name = random.pick(SEGMENTS);
    if (what < 9)
      world.segments.set(
        name,
        store.transaction(() => load(store, random, { kind: "segment", name })),
      );
    else if (world.segments.delete(name)) store.transaction(() => store.audiences.delete({ kind: "segment", name }, "test"));
  }
}

function target(random: Random, depth: number): ModelTarget {
  const choice = random.between(0, depth > 0 ? 7 : 3);
  if (choice === 0) return { kind: "all" };
  if (choice === 1) return { kind: "users" };
  if (choice <= 3) return { kind: "segment", name: random.pick(SEGMENTS) };
  if (choice <= 5) return { kind: "not", of: target(random, depth - 1) };
  return { kind: choice === 6 ? "and" : "or", left: target(random, depth - 1), right: target(random, depth - 1) };
}

export function caps(random: Random, most: number): ModelCap[] {
  return Array.from({ length: random.between(0, most) }, () => {
    const window = random.pick<ModelCap["window"]>(["total", "day", "week", "month", "session", ...ROLLING]);
    return { limit: window === "total" ? random.between(1, 6) : random.between(1, 4), window };
  });
}

export function capText({ limit, window }: ModelCap): string {
  return `${limit}/${typeof window === "number" ? `${window / 1000}s` : window}`;
}

/** Time goes on: a little, a lot, or exactly to where something changes. */
export function later(
  random: Random,
  now: number,
  model: Model,
  campaigns: readonly ModelCampaign[],
  users: readonly string[],
  policy: readonly ModelCap[],
): number {
  const choice = random.between(0, 11);
  if (choice < 3) return now;
  if (choice < 5) return now + random.between(1, 60_000);
  if (choice < 6) return now + random.between(60_000, 8 * 3_600_000);
  if (choice < 7) return now + (random.chance(0.3) ? random.between(DAY, 9 * DAY) : 0);
  const around = random.between(-1, 1);
  const border = choice < 8 ? model.nextMidnight(now) : choice < 9 ? random.pick(campaigns.flatMap((c) => [c.start, c.end])) : windowEnd();
  return border + around > now && border < now + 40 * DAY ? border + around : now;

  function windowEnd(): number {
    const shows = users.flatMap((user) => model.history(user).shows.slice(-4));
    const windows = [...campaigns.flatMap((c) => c.caps), ...policy].map((cap) => cap.window).filter((window) => typeof window === "number");
    return shows.length === 0 || windows.length === 0 ? now : random.pick(shows).at + random.pick(windows);
  }
}
