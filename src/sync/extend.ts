/**
 * Campaigns that were given a later end: a record expires when its caps cannot matter any more, and
 * that is later now for everyone who has seen them, also for those who do not come before the old end.
 */
import type { Campaign } from "../campaign.js";
import { inSlices } from "../each.js";
import { partitionOf } from "../partition.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { decodeReply, Script } from "../redis/script.js";
import type { Store } from "../store/store.js";
import { LATE_REPORTS_MS, type PublishPlan } from "./plan.js";
import { StreamReading } from "./stream-reading.js";

const extendScript = new Script("extend");
/** Records lengthened at the same time. */
const TOGETHER = 256;
/** Streams read at the same time. */
const READ_TOGETHER = 16;

/** The campaigns of a plan whose end is later than the one Redis has. */
export async function laterEnds(redis: RedisLink, keys: Keys, plan: PublishPlan): Promise<Campaign[]> {
  const campaigns = [...plan.list.active, ...plan.list.others];
  const ends = await Promise.all(campaigns.map((campaign) => redis.hget(keys.meta(campaign.id), "end_time")));
  return campaigns.filter((campaign, i) => ends[i] != null && campaign.end_time > Number(ends[i]) * 1000);
}

/** Campaigns of a partition that were given a later end. */
export interface Later {
  readonly keys: Keys;
  readonly campaigns: readonly Campaign[];
}

/** Lengthens the records of everyone with an event of these campaigns, in the store or still in the stream of their partition. @param now epoch ms */
export async function extendRecords(store: Store, redis: RedisLink, later: readonly Later[], now: number): Promise<void> {
  const parts = later.filter(({ campaigns }) => campaigns.length > 0);
  const count = parts[0]?.keys.share.count ?? 1;
  const streams = new Map(await inSlices(parts, READ_TOGETHER, async ({ keys }) => [keys.share.number, await readWhole(redis, keys)] as const));
  const campaigns = new Map(parts.flatMap((part) => part.campaigns.map((campaign) => [campaign.id, campaign])));
  for (const [id, campaign] of campaigns) {
    const ttl = campaign.end_time + LATE_REPORTS_MS - now;
    const concerned = new Map(parts.filter((part) => part.campaigns.some((one) => one.id === id)).map(({ keys }) => [keys.share.number, keys]));
    const waiting = [...streams.values()].flatMap((stream) =>
      [...stream.userIds()].filter((user) => stream.ofUser(user).some((event) => event.campaignId === id)),
    );
    const records = [...new Set([...store.rollups.usersOf(id), ...waiting])].flatMap((user) => concerned.get(partitionOf(user, count))?.record(user) ?? []);
    await inSlices(records, TOGETHER, async (record) => {
      decodeReply("extend", await extendScript.run(redis, [record], [ttl]), ["extended", "enough"]);
    });
  }
}

async function readWhole(redis: RedisLink, keys: Keys): Promise<StreamReading> {
  const stream = new StreamReading(redis, keys);
  await stream.readOn();
  return stream;
}
