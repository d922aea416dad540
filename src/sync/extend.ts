/**
 * Campaigns that were given a later end: a record expires when its caps cannot matter any more, and
 * that is later now for everyone who has seen them, also for those who do not come before the old end.
 */
import type { Redis } from "ioredis";
import type { Campaign } from "../campaign.js";
import type { Keys } from "../redis/keys.js";
import { decodeReply, Script } from "../redis/script.js";
import type { Store } from "../store/store.js";
import { LATE_REPORTS_MS, type PublishPlan } from "./plan.js";
import { StreamReading } from "./stream-reading.js";

const extendScript = new Script("extend");
/** Records lengthened at the same time. */
const TOGETHER = 256;

/** The campaigns of a plan whose end is later than the one Redis has. */
export async function laterEnds(redis: Redis, keys: Keys, plan: PublishPlan): Promise<Campaign[]> {
  const campaigns = [...plan.list.active, ...plan.list.others];
  const ends = await Promise.all(campaigns.map((campaign) => redis.hget(keys.meta(campaign.id), "end_time")));
  return campaigns.filter((campaign, i) => ends[i] != null && campaign.end_time > Number(ends[i]) * 1000);
}

/** Lengthens the records of everyone with an event of these campaigns, in the store or still in the stream. @param now epoch ms */
export async function extendRecords(store: Store, redis: Redis, keys: Keys, campaigns: readonly Campaign[], now: number): Promise<void> {
  if (campaigns.length === 0) return;
  const stream = new StreamReading(redis, keys);
  await stream.readOn();
  for (const campaign of campaigns) {
    const waiting = [...stream.userIds()].filter((user) => stream.ofUser(user).some((event) => event.campaignId === campaign.id));
    const users = [...new Set([...store.rollups.usersOf(campaign.id), ...waiting])];
    const ttl = campaign.end_time + LATE_REPORTS_MS - now;
    for (let from = 0; from < users.length; from += TOGETHER) {
      await Promise.all(
        users.slice(from, from + TOGETHER).map(async (user) => {
          decodeReply("extend", await extendScript.run(redis, [keys.record(user)], [ttl]), ["extended", "enough"]);
        }),
      );
    }
  }
}
