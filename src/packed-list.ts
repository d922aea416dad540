/**
 * The packed campaign list, `campaigns:compiled`: all that the scripts need to decide, in one
 * string, in selection order. Written here, read by `lua/lib/campaigns.lua`; both name the layout.
 *
 * Big-endian throughout. `u48` is an unsigned 48-bit integer, times and durations are ms.
 *
 *   header     "PLv4" | version 24 | streamMax u32 | active u32 | listed u32 | always u32 | policyAt u32 | alwaysAt u32 | boundsAt u32 |
 *              slotsAt u32 | audiencesAt u32 | placesAt u32 | indexAt u32
 *   policy     flags u8 | keep u8 | ttl u48 | caps u8 | cap…
 *   always     place u16 …: active campaigns that may mean a user whatever audiences the user is in
 *   bounds     place u16 of each byte of a row: the first place that its slots, or those behind them, lead to
 *   slots      at u32, count u16 of each slot of the audience index; there: place u16 …: active campaigns that may
 *              mean a member of the audience in that slot
 *   audiences  flags u8 | slot u16 (65535: not in the index); of one not in it also where its keys begin among those of all
 *              such audiences u16 | its parts u16 | parts of the string ids beside it u16 …
 *   places     at u32, length u16 of each campaign's block, in the order of the blocks
 *   index      id u32 | place u32, ascending by id
 *   campaign   id u32 | start u48 | end u48 | flags u8 | keep u8 | ttl u48 | reserve u16 |
 *              caps u8 | entry u8 | steps u8 | cap… | step…; of a draft instead of steps: length u16 | blank | test user, blank …
 *   cap        kind u8 | limit u32 | duration u48
 *   step       audience u16 | member u8 | other u8
 *
 * What every call needs comes first: of a long list the scripts read no more than they have to.
 * The `active` campaigns come first, in selection order; those that only late reports can concern
 * (paused, ended) follow. The index finds both. `always` and `slots` only narrow the
 * search from a user's row of audience bits to the campaigns worth a look; whether one means the user is
 * for its steps to say.
 */
import type { PublishedKey } from "./api-key.js";
import { type AudienceRef, audienceLabel } from "./audience.js";
import type { Parts } from "./audience-parts.js";
import type { AudienceIndex } from "./audience-rows.js";
import type { Campaign } from "./campaign.js";
import { type Cap, longestWindowMs, timesToKeep } from "./caps.js";
import type { Encoding } from "./encoding.js";
import { PopupError } from "./errors.js";
import { type AudienceSlot, compileTarget, REJECT, type TargetProgram } from "./target-steps.js";

export const MAGIC = "PLv4";
export const VERSION_LENGTH = 24;
const HEADER_LENGTH = 72;
const NOT_INDEXED = 65_535;
/** Places and audiences are packed in 16 bits. */
const MOST_LISTED = 65_535;
export const CAP_KIND = { total: 1, day: 2, week: 3, month: 4, rolling: 5, session: 6 } as const;
const FLAG = { exempt: 1, serve: 2, stopClick: 4, stopDismiss: 8, untilEnd: 16, sessions: 32, test: 64 } as const;
const POLICY_FLAG = { total: 1, sessions: 2 } as const;
const AUDIENCE_FLAG = { bitmap: 1, set: 2, bloom: 8 } as const;
const AUDIENCE_BYTES = 9;
const NOBODY: TargetProgram = { entry: REJECT, steps: [], triggers: [] };
/** A policy cap on `total` has no end; its records live this long after the last impression. */
const POLICY_TOTAL_TTL_MS = 10 * 366 * 86_400_000;

/** An audience as the list refers to it. */
export interface ListedAudience {
  readonly ref: AudienceRef;
  readonly encoding: Encoding;
  readonly parts: Parts;
  /** Its slot in the audience index: the bit of a user's row that tells whether the user is in it. Null when it is asked by its own key. */
  readonly slot: number | null;
}

export interface ListInput {
  /** Active campaigns, and drafts that have test users, in selection order. */
  readonly active: readonly Campaign[];
  /** Those that only late reports concern. */
  readonly others: readonly Campaign[];
  readonly policy: readonly Cap[];
  /** Seconds for which a decision holds a place where its campaign does not say. */
  readonly reserve: number;
  /** Entries in the event stream beyond which no more are taken. */
  readonly streamMax: number;
  readonly timezone: string;
  readonly audiences: readonly ListedAudience[];
  /** The index that the audiences' slots are of, if any. */
  readonly index: AudienceIndex | null;
  /** No script reads them: they go into the manifest. */
  readonly apiKeys: readonly PublishedKey[];
}

/** The order of selection: priority high to low, then end early to late, then id low to high. */
export function bySelection(a: Campaign, b: Campaign): number {
  return b.priority - a.priority || a.end_time - b.end_time || a.id - b.id;
}

/**
 * @param version exactly {@link VERSION_LENGTH} ASCII characters
 * @throws PopupError `conflict` for more campaigns or audiences than the list can hold
 */
export function packList(input: ListInput, version: string): Buffer {
  if (version.length !== VERSION_LENGTH) throw new PopupError("internal", `version "${version}" has not ${VERSION_LENGTH} characters`);
  const direct = input.audiences.filter(({ slot }) => slot === null).reduce((sum, { parts }) => sum + parts.main + parts.strings, 0);
  if (direct > MOST_LISTED)
    throw new PopupError("conflict", `${direct} parts of audiences outside the index are more than can be published`, {
      hint: `at most ${MOST_LISTED}: end some campaigns, or use bitmaps instead of bloom filters`,
    });
  if (input.active.length > MOST_LISTED || input.audiences.length > MOST_LISTED) {
    throw new PopupError("conflict", `${input.active.length} active campaigns with ${input.audiences.length} audiences are more than can be published`, {
      hint: `end some: at most ${MOST_LISTED} of each`,
    });
  }
  const numbers = new Map(input.audiences.map(({ ref }, number) => [audienceLabel(ref), number]));
  const slot: AudienceSlot = (leaf, campaignId) => numbers.get(audienceLabel(leaf.kind === "users" ? { kind: "users", campaignId } : leaf));
  const campaigns = [...input.active, ...input.others];
  const targets = campaigns.map((c) =>
    c.status === "draft" ? NOBODY : compileTarget(c.target, c.id, slot, (audience) => input.audiences[audience]?.slot != null),
  );
  const blocks = campaigns.map((campaign, i) => packCampaign(campaign, input.reserve, targets[i] ?? NOBODY));
  const index = campaigns.map(({ id }, place) => [id, place]).sort(([a = 0], [b = 0]) => a - b);
  const { always, ofSlot } = findLeads(input, targets);

  const policy = packPolicy(input.policy);
  const bounds = u16List(findBounds(ofSlot, input.active.length));
  const policyAt = HEADER_LENGTH;
  const alwaysAt = policyAt + policy.length;
  const boundsAt = alwaysAt + always.length * 2;
  const slotsAt = boundsAt + bounds.length;
  const slots = packPlaced(ofSlot.map(u16List), slotsAt + ofSlot.length * 6, (list) => list.length / 2);
  const audiencesAt = slotsAt + slots.length;
  const audiences = packAudiences(input.audiences);
  const placesAt = audiencesAt + audiences.length;
  const indexAt = placesAt + blocks.length * 6;
  // The blocks lie behind the index, and their places in front of it.
  const placed = packPlaced(blocks, indexAt + index.length * 8, (block) => block.length);
  const places = placed.subarray(0, blocks.length * 6);
  return Buffer.concat([
    Buffer.from(MAGIC + version, "latin1"),
    u32List([input.streamMax, input.active.length, index.length, always.length, policyAt, alwaysAt, boundsAt, slotsAt, audiencesAt, placesAt, indexAt]),
    policy,
    u16List(always),
    bounds,
    slots,
    audiences,
    places,
    u32List(index.flat()),
    placed.subarray(places.length),
  ]);
}

/** Which active campaigns are worth a look for everyone, and which for the members of each slot's audience; places ascend. */
function findLeads(input: ListInput, targets: readonly TargetProgram[]): { always: number[]; ofSlot: number[][] } {
  const always: number[] = [];
  const ofSlot = Array.from({ length: input.index?.slots ?? 0 }, (): number[] => []);
  input.active.forEach((_, place) => {
    const { triggers } = targets[place] ?? NOBODY;
    if (triggers === undefined) always.push(place);
    else for (const audience of triggers) ofSlot[input.audiences[audience]?.slot ?? -1]?.push(place);
  });
  return { always, ofSlot };
}

/** For each byte of a row, the first place that a slot in it or behind it leads to; `none` where there is none. */
function findBounds(ofSlot: readonly (readonly number[])[], none: number): number[] {
  const bounds: number[] = [];
  let bound = none;
  for (let slot = ofSlot.length - 1; slot >= 0; slot--) {
    bound = Math.min(bound, ofSlot[slot]?.[0] ?? none);
    if (slot % 8 === 0) bounds[slot / 8] = bound;
  }
  return bounds;
}

function packAudiences(audiences: readonly ListedAudience[]): Buffer {
  const bytes = Buffer.alloc(audiences.length * AUDIENCE_BYTES);
  let at = 0;
  audiences.forEach(({ encoding, slot, parts }, i) => {
    bytes.writeUInt8(AUDIENCE_FLAG[encoding], i * AUDIENCE_BYTES);
    bytes.writeUInt16BE(slot ?? NOT_INDEXED, 1 + i * AUDIENCE_BYTES);
    if (slot !== null) return;
    [at, parts.main, parts.strings].forEach((value, n) => bytes.writeUInt16BE(value, 3 + n * 2 + i * AUDIENCE_BYTES));
    at += parts.main + parts.strings;
  });
  return bytes;
}

function u32List(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32BE(value, i * 4));
  return bytes;
}

function u16List(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16BE(value, i * 2));
  return bytes;
}

/** Pieces behind a table of where each lies, u32, and its measure, u16. @param at where in the list the first piece will lie */
function packPlaced(pieces: readonly Buffer[], at: number, measure: (piece: Buffer) => number): Buffer {
  const table = Buffer.alloc(pieces.length * 6);
  pieces.forEach((piece, i) => {
    table.writeUInt32BE(at, i * 6);
    table.writeUInt16BE(measure(piece), i * 6 + 4);
    at += piece.length;
  });
  return Buffer.concat([table, ...pieces]);
}

function packCampaign(campaign: Campaign, reserve: number, { entry, steps }: TargetProgram): Buffer {
  const untilEnd = campaign.stop_after.length > 0 || campaign.caps.some((cap) => cap.window === "total");
  const flags =
    (campaign.exempt ? FLAG.exempt : 0) |
    (campaign.count_on === "serve" ? FLAG.serve : 0) |
    (campaign.stop_after.includes("click") ? FLAG.stopClick : 0) |
    (campaign.stop_after.includes("dismiss") ? FLAG.stopDismiss : 0) |
    (untilEnd ? FLAG.untilEnd : 0) |
    (campaign.status === "draft" ? FLAG.test : 0) |
    (campaign.caps.some((cap) => cap.window === "session") ? FLAG.sessions : 0);
  const head = Buffer.alloc(29);
  head.writeUInt32BE(campaign.id, 0);
  // Test users need not wait for the start.
  head.writeUIntBE(campaign.status === "draft" ? 0 : campaign.start_time, 4, 6);
  head.writeUIntBE(campaign.end_time, 10, 6);
  head.writeUInt8(flags, 16);
  head.writeUInt8(timesToKeep(campaign.caps), 17);
  head.writeUIntBE(longestWindowMs(campaign.caps), 18, 6);
  // A decision that counts needs no place held.
  head.writeUInt16BE(campaign.count_on === "serve" ? 0 : (campaign.reserve ?? reserve), 24);
  head.writeUInt8(campaign.caps.length, 26);
  head.writeUInt8(entry, 27);
  head.writeUInt8(steps.length, 28);
  const program = Buffer.alloc(steps.length * 4);
  steps.forEach((step, i) => {
    program.writeUInt16BE(step.audience, i * 4);
    program.writeUInt8(step.member, i * 4 + 2);
    program.writeUInt8(step.other, i * 4 + 3);
  });
  return Buffer.concat([head, packCaps(campaign.caps), campaign.status === "draft" ? packTestUsers(campaign.test_users) : program]);
}

function packTestUsers(users: readonly string[]): Buffer {
  const ids = Buffer.from(` ${users.join(" ")} `, "latin1");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(ids.length);
  return Buffer.concat([length, ids]);
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
