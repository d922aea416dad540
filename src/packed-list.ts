/**
 * The packed campaign list, `campaigns:compiled`: all that the scripts need to decide, in one
 * string, in selection order. Written here, read by `lua/lib/campaigns.lua`; both name the layout.
 *
 * Big-endian throughout. `u48` is an unsigned 48-bit integer, times and durations are ms.
 *
 *   header     "PLv1" | version 24 | active u32 | indexed u32 | indexAt u32 | policyAt u32 | audiencesAt u32 | manifestAt u32
 *   campaign   id u32 | start u48 | end u48 | flags u8 | keep u8 | ttl u48 | caps u8 | entry u8 | steps u8 | cap… | step…
 *   cap        kind u8 | limit u32 | duration u48
 *   step       audience u16 | member u8 | other u8
 *   policy     flags u8 | keep u8 | ttl u48 | caps u8 | cap…
 *   index      id u32 | at u32, ascending by id
 *   audiences  count u16 | encoding u8 …
 *   manifest   JSON for the API process, to the end
 *
 * The `active` campaigns come first, in selection order, behind the header; those that only late
 * reports can concern (paused, ended) follow. The index finds both.
 */
import type { AudienceRef } from "./audience.js";
import type { Campaign } from "./campaign.js";
import { longestWindowMs, timesToKeep, type Cap } from "./caps.js";
import { PopupError } from "./errors.js";
import { compileTarget, type AudienceSlot } from "./target-steps.js";

export const MAGIC = "PLv1";
export const VERSION_LENGTH = 24;
const HEADER_LENGTH = 52;
const CAP_KIND = { total: 1, day: 2, week: 3, month: 4, rolling: 5, session: 6 } as const;
export const FLAG = { exempt: 1, serve: 2, stopClick: 4, stopDismiss: 8, untilEnd: 16, sessions: 32 } as const;
export const POLICY_FLAG = { total: 1, sessions: 2 } as const;
export const AUDIENCE_FLAG = { bitmap: 1, set: 2, strings: 4 } as const;
/** A policy cap on `total` has no end; its records live this long after the last impression. */
const POLICY_TOTAL_TTL_MS = 10 * 366 * 86_400_000;

/** An audience as the list refers to it. */
export interface ListedAudience {
  readonly ref: AudienceRef;
  readonly encoding: "bitmap" | "set";
  /** True when a set of string ids lies beside the bitmap. */
  readonly strings: boolean;
}

export interface ListInput {
  /** Active campaigns, in selection order. */
  readonly active: readonly Campaign[];
  /** Those that only late reports concern. */
  readonly others: readonly Campaign[];
  readonly policy: readonly Cap[];
  readonly timezone: string;
  readonly audiences: readonly ListedAudience[];
}

/** What an API process needs to know of a published list. */
export interface Manifest {
  readonly version: string;
  readonly timezone: string;
  readonly audiences: readonly ListedAudience[];
  /** Ids of the active campaigns, in selection order. */
  readonly active: readonly number[];
}

/** The order of selection: priority high to low, then end early to late, then id low to high. */
export function bySelection(a: Campaign, b: Campaign): number {
  return b.priority - a.priority || a.end_time - b.end_time || a.id - b.id;
}

/** @param version exactly {@link VERSION_LENGTH} ASCII characters */
export function packList(input: ListInput, version: string): Buffer {
  if (version.length !== VERSION_LENGTH) throw new PopupError("internal", `version "${version}" has not ${VERSION_LENGTH} characters`);
  const slot: AudienceSlot = (leaf, campaignId) => {
    const found = input.audiences.findIndex(({ ref }) => (ref.kind === "segment" ? leaf.kind === "segment" && ref.name === leaf.name : leaf.kind === "users" && ref.campaignId === campaignId));
    return found < 0 ? undefined : found;
  };
  const blocks = [...input.active, ...input.others].map((campaign) => ({ id: campaign.id, bytes: packCampaign(campaign, slot) }));
  let at = HEADER_LENGTH;
  const places = blocks.map(({ id, bytes }) => {
    const place = { id, at };
    at += bytes.length;
    return place;
  });
  const policyAt = at;
  const policy = packPolicy(input.policy);
  const indexAt = policyAt + policy.length;
  const index = Buffer.alloc(places.length * 8);
  places.sort((a, b) => a.id - b.id).forEach((place, i) => {
    index.writeUInt32BE(place.id, i * 8);
    index.writeUInt32BE(place.at, i * 8 + 4);
  });
  const audiencesAt = indexAt + index.length;
  const audiences = Buffer.alloc(2 + input.audiences.length);
  audiences.writeUInt16BE(input.audiences.length);
  input.audiences.forEach((a, i) => audiences.writeUInt8(AUDIENCE_FLAG[a.encoding] | (a.strings ? AUDIENCE_FLAG.strings : 0), 2 + i));
  const manifest = { timezone: input.timezone, audiences: input.audiences, active: input.active.map((c) => c.id) };

  const header = Buffer.alloc(HEADER_LENGTH);
  header.write(MAGIC + version, "latin1");
  [input.active.length, places.length, indexAt, policyAt, audiencesAt, audiencesAt + audiences.length].forEach((value, i) => {
    header.writeUInt32BE(value, MAGIC.length + VERSION_LENGTH + i * 4);
  });
  return Buffer.concat([header, ...blocks.map((b) => b.bytes), policy, index, audiences, Buffer.from(JSON.stringify(manifest))]);
}

/** @throws PopupError `internal` when the bytes are no list this engine knows */
export function readManifest(list: Buffer): Manifest {
  if (list.toString("latin1", 0, MAGIC.length) !== MAGIC || list.length < HEADER_LENGTH) {
    throw new PopupError("internal", "campaigns:compiled has a form this engine does not know", { hint: "publish again with this version: popup sync --full" });
  }
  const version = list.toString("latin1", MAGIC.length, MAGIC.length + VERSION_LENGTH);
  const manifestAt = list.readUInt32BE(HEADER_LENGTH - 4);
  return { version, ...(JSON.parse(list.toString("utf8", manifestAt)) as Omit<Manifest, "version">) };
}

function packCampaign(campaign: Campaign, slot: AudienceSlot): Buffer {
  const { entry, steps } = compileTarget(campaign.target, campaign.id, slot);
  const untilEnd = campaign.stop_after.length > 0 || campaign.caps.some((cap) => cap.window === "total");
  const flags =
    (campaign.exempt ? FLAG.exempt : 0) |
    (campaign.count_on === "serve" ? FLAG.serve : 0) |
    (campaign.stop_after.includes("click") ? FLAG.stopClick : 0) |
    (campaign.stop_after.includes("dismiss") ? FLAG.stopDismiss : 0) |
    (untilEnd ? FLAG.untilEnd : 0) |
    (campaign.caps.some((cap) => cap.window === "session") ? FLAG.sessions : 0);
  const head = Buffer.alloc(27);
  head.writeUInt32BE(campaign.id, 0);
  head.writeUIntBE(campaign.start_time, 4, 6);
  head.writeUIntBE(campaign.end_time, 10, 6);
  head.writeUInt8(flags, 16);
  head.writeUInt8(timesToKeep(campaign.caps), 17);
  head.writeUIntBE(longestWindowMs(campaign.caps), 18, 6);
  head.writeUInt8(campaign.caps.length, 24);
  head.writeUInt8(entry, 25);
  head.writeUInt8(steps.length, 26);
  const program = Buffer.alloc(steps.length * 4);
  steps.forEach((step, i) => {
    program.writeUInt16BE(step.audience, i * 4);
    program.writeUInt8(step.member, i * 4 + 2);
    program.writeUInt8(step.other, i * 4 + 3);
  });
  return Buffer.concat([head, packCaps(campaign.caps), program]);
}

function packPolicy(caps: readonly Cap[]): Buffer {
  const total = caps.some((cap) => cap.window === "total");
  const sessions = caps.some((cap) => cap.window === "session");
  const head = Buffer.alloc(9);
  head.writeUInt8((total ? POLICY_FLAG.total : 0) | (sessions ? POLICY_FLAG.sessions : 0), 0);
  head.writeUInt8(timesToKeep(caps), 1);
  head.writeUIntBE(total ? POLICY_TOTAL_TTL_MS : longestWindowMs(caps), 2, 6);
  head.writeUInt8(caps.length, 8);
  return Buffer.concat([head, packCaps(caps)]);
}

function packCaps(caps: readonly Cap[]): Buffer {
  const bytes = Buffer.alloc(caps.length * 11);
  caps.forEach((cap, i) => {
    bytes.writeUInt8(CAP_KIND[cap.window], i * 11);
    bytes.writeUInt32BE(cap.limit, i * 11 + 1);
    bytes.writeUIntBE(cap.window === "rolling" ? cap.durationMs : 0, i * 11 + 5, 6);
  });
  return bytes;
}
