/** The scripts of the customer's path, each as one typed function. */
import type { Redis } from "ioredis";
import type { AudienceRef } from "../audience.js";
import type { Reaction } from "../campaign.js";
import type { Manifest } from "../packed-list.js";
import type { Windows } from "../time.js";
import { integerId } from "../user-id.js";
import type { Keys } from "./keys.js";
import { decodeReply, Script } from "./script.js";

const selectScript = new Script("select");
const impressionScript = new Script("impression");
const reactionScript = new Script("reaction");

/** `stale`: another list is published than the caller knows. `unpublished`: there is none. */
export type ListTrouble = "stale" | "unpublished";

/** The audience keys of a list, as the select script wants them for either kind of user id. */
export interface AudienceKeys { readonly forIntegers: readonly string[]; readonly forStrings: readonly string[] }

export function audienceKeys(keys: Keys, manifest: Manifest): AudienceKeys {
  const each = (key: (ref: AudienceRef) => string): string[] => manifest.audiences.map(({ ref }) => key(ref));
  return {
    forIntegers: each((ref) => keys.audience(ref)),
    forStrings: manifest.audiences.map(({ ref, encoding }) => (encoding === "set" ? keys.audience(ref) : keys.audienceStrings(ref))),
  };
}

export interface SelectCall {
  readonly version: string;
  readonly audiences: AudienceKeys;
  readonly userId: string;
  readonly windows: Windows;
  readonly sessionId: string | null;
  /** What a campaign that counts on serve counts. */
  readonly impressionId: string;
}

export type SelectReply = { readonly tag: "show"; readonly campaignId: number } | { readonly tag: "none" | ListTrouble };

/** Decides for one user; one EVALSHA. */
export async function select(redis: Redis, keys: Keys, call: SelectCall): Promise<SelectReply> {
  const integer = integerId(call.userId) !== undefined;
  const { now, day, week, month } = call.windows;
  const reply = await selectScript.run(
    redis,
    [keys.list, keys.record(call.userId), keys.stream, ...(integer ? call.audiences.forIntegers : call.audiences.forStrings)],
    [call.version, call.userId, integer ? call.userId : "", now, day, week, month, call.sessionId ?? "", call.impressionId],
  );
  const { tag, value } = decodeReply("select", reply, ["show", "none", "stale", "unpublished"]);
  return tag === "show" ? { tag, campaignId: Number(value) } : { tag };
}

export interface ReportCall {
  readonly version: string;
  readonly campaignId: number;
  readonly userId: string;
  readonly impressionId: string;
  readonly sessionId: string | null;
  readonly windows: Windows;
}

export type ImpressionReply = { readonly tag: "counted"; readonly total: number } | { readonly tag: "duplicate" | "capped" | "unknown" | ListTrouble };

/** Takes one impression; one EVALSHA. */
export async function recordImpression(redis: Redis, keys: Keys, call: ReportCall): Promise<ImpressionReply> {
  const { now, day, week, month } = call.windows;
  const reply = await impressionScript.run(
    redis,
    [keys.list, keys.record(call.userId), keys.stream],
    [call.version, call.campaignId, call.userId, call.impressionId, call.sessionId ?? "", now, day, week, month],
  );
  const { tag, value } = decodeReply("impression", reply, ["counted", "duplicate", "capped", "unknown", "stale", "unpublished"]);
  return tag === "counted" ? { tag, total: Number(value) } : { tag };
}

export interface ReactionReply { readonly tag: "recorded" | "duplicate" | "unknown" | ListTrouble }

/** Takes one click or dismissal; one EVALSHA. */
export async function recordReaction(redis: Redis, keys: Keys, reaction: Reaction, call: ReportCall): Promise<ReactionReply> {
  const reply = await reactionScript.run(
    redis,
    [keys.list, keys.record(call.userId), keys.stream],
    [call.version, reaction, call.campaignId, call.userId, call.impressionId, call.sessionId ?? "", call.windows.now],
  );
  return { tag: decodeReply("reaction", reply, ["recorded", "duplicate", "unknown", "stale", "unpublished"]).tag };
}
