/** What should be published, computed from one view of the store; no Redis here. */
import { createHash } from "node:crypto";
import type { PublishedKey } from "../api-key.js";
import { type AudienceRef, audienceLabel } from "../audience.js";
import type { Parts } from "../audience-parts.js";
import type { Campaign } from "../campaign.js";
import { formatCap } from "../caps.js";
import { packManifest } from "../manifest.js";
import { bySelection, type ListInput, packList, VERSION_LENGTH } from "../packed-list.js";
import type { Share } from "../partition.js";
import type { Audience } from "../store/audiences.js";
import type { Settings } from "../store/settings.js";
import type { Store } from "../store/store.js";
import { mentionsUsers, parseTarget, segmentsOf } from "../target.js";
import { slotFinder } from "./audience-index.js";
import type { BuiltIndex } from "./row-writer.js";
import { revisionIn } from "./shares.js";

/** Late impressions are taken for this long after a campaign's end (DESIGN §7). */
export const LATE_REPORTS_MS = 7 * 86_400_000;
/** A campaign leaves the list of active ones this long after its end, not at once: the clocks of API processes differ. */
const CLOCK_MARGIN_MS = 3_600_000;

export interface CampaignMeta {
  readonly campaignId: number;
  /** Field names and values, in turn, as HSET takes them. */
  readonly fields: readonly string[];
  /** A digest of the fields: what is published under the same one is not sent again. */
  readonly revision: string;
  /** Epoch ms after which Redis may forget the campaign. */
  readonly keepUntil: number;
}

/** What the store has to publish, as of one moment: of all partitions the same. */
export interface StoreView {
  readonly settings: Settings;
  readonly active: readonly Campaign[];
  readonly others: readonly Campaign[];
  /** Those that the campaigns name, whole. */
  readonly audiences: readonly Audience[];
  readonly apiKeys: readonly PublishedKey[];
  readonly metas: readonly CampaignMeta[];
}

export interface PublishPlan {
  readonly list: ListInput;
  /** The audiences of the list, in its order, with their revision in the partition. */
  readonly audiences: readonly Audience[];
  /** The audience index that the list uses. */
  readonly index: BuiltIndex | null;
  readonly metas: readonly CampaignMeta[];
  /** A digest of the packed list and its manifest. */
  readonly digest: string;
}

/** @param now epoch ms */
export function viewStore(store: Store, now: number): StoreView {
  return store.snapshot(() => {
    const campaigns = store.campaigns.list().filter((c) => (c.status !== "draft" || c.test_users.length > 0) && now < c.end_time + LATE_REPORTS_MS);
    const active = campaigns.filter((c) => (c.status === "active" || c.status === "draft") && now < c.end_time + CLOCK_MARGIN_MS).sort(bySelection);
    const others = campaigns.filter((c) => !active.includes(c));
    const audiences = audiencesOf([...active, ...others], store);
    return { settings: store.settings.all(), active, others, audiences, apiKeys: store.apiKeys.live(), metas: campaigns.map((c) => metaOf(c)) };
  });
}

/**
 * What should be published in a partition.
 * @param index the audience index that there is to use; an audience that changed since is not looked up in it
 * @param partsIn how many parts an audience has there
 */
export function planPartition(
  { settings, active, others, audiences: whole, apiKeys, metas }: StoreView,
  share: Share,
  index: BuiltIndex | null,
  partsIn: (audience: Audience) => Parts,
): PublishPlan {
  const slotIn = slotFinder(index);
  const audiences = whole.map((audience) => ({ ...audience, revision: revisionIn(share, audience) }));
  const listed = audiences.map((audience) => ({ ref: audience.ref, encoding: audience.encoding, parts: partsIn(audience), slot: slotIn(audience) }));
  const used = listed.some(({ slot }) => slot !== null) ? index : null;
  const list: ListInput = {
    active,
    others,
    policy: settings.userCaps,
    reserve: settings.reserve,
    // The bound is one of Redis' memory, which the streams of all partitions share.
    streamMax: Math.ceil(settings.streamMax / share.count),
    timezone: settings.timezone,
    audiences: listed,
    index: used,
    apiKeys,
  };
  const version = "-".repeat(VERSION_LENGTH);
  const digest = sha256(Buffer.concat([packList(list, version), Buffer.from(packManifest(list, version))]));
  return { list, audiences, index: used, metas, digest };
}

/**
 * The audiences that active and paused campaigns name (a paused one is expected back), in the order of the
 * campaigns: the search for the first campaign then mostly ends at the first bit of a row.
 */
function audiencesOf(campaigns: readonly Campaign[], store: Store): Audience[] {
  const found = new Map<string, Audience>();
  for (const campaign of campaigns) {
    // Drafts are for their test users, whatever their target.
    if (campaign.status === "ended" || campaign.status === "draft") continue;
    const target = parseTarget(campaign.target);
    const refs: AudienceRef[] = segmentsOf(target).map((name) => ({ kind: "segment", name }));
    if (mentionsUsers(target)) refs.push({ kind: "users", campaignId: campaign.id });
    for (const ref of refs) {
      const audience = store.audiences.find(ref);
      if (audience) found.set(audienceLabel(ref), audience);
    }
  }
  return [...found.values()];
}

/** The hash of a campaign (DESIGN §7); times in epoch seconds. */
function metaOf(campaign: Campaign): CampaignMeta {
  const total = campaign.caps.find((cap) => cap.window === "total");
  const fields = Object.entries({
    title: campaign.title,
    body: campaign.body ?? "",
    image_url: campaign.image_url,
    action_url: campaign.action_url,
    priority: String(campaign.priority),
    max_frequency: total ? String(total.limit) : "",
    caps: campaign.caps.map(formatCap).join(","),
    target_segment: campaign.target,
    start_time: String(campaign.start_time / 1000),
    end_time: String(campaign.end_time / 1000),
    status: campaign.status,
    count_on: campaign.count_on,
    stop_after: campaign.stop_after.join(","),
    exempt: campaign.exempt ? "1" : "0",
    reserve: campaign.reserve === null ? "" : String(campaign.reserve),
  } satisfies Record<string, string>).flat();
  return { campaignId: campaign.id, fields, revision: sha256(JSON.stringify(fields)), keepUntil: campaign.end_time + LATE_REPORTS_MS };
}

function sha256(data: Buffer | string): string {
  return createHash("sha256").update(data).digest("hex");
}
