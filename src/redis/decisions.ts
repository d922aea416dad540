/** The scripts of the customer's path, each as one typed function that serves many users in one call. */
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import type { EventType } from "../event.js";
import type { DirectAudience } from "../manifest.js";
import type { Windows } from "../time.js";
import { integerId } from "../user-id.js";
import type { RedisLink } from "./cluster.js";
import { Keys } from "./keys.js";
import type { RowFinder } from "./rows.js";
import { decodeReply, Script } from "./script.js";

const selectScript = new Script("select");
const reportScript = new Script("report");

/** Makes the scripts known to a server, so that the first customers do not wait for it. */
export async function loadDecisionScripts(redis: Redis): Promise<void> {
  await Promise.all([selectScript.load(redis), reportScript.load(redis)]);
}

/** `stale`: another list is published than the caller knows. `unpublished`: there is none. */
export interface ListTrouble {
  readonly tag: "stale" | "unpublished";
}

/** What a call needs to know of the published list. */
export interface ListView {
  readonly version: string;
  readonly findRow: RowFinder;
  /** The keys of the audiences that are not in the index: of each its parts, and those of its string ids. */
  readonly directKeys: readonly string[];
  /** Users who may see a draft: the script looks at drafts for them only. */
  readonly testUsers: ReadonlySet<string>;
  /** Whether a decision may count or hold a place, and so needs the id of the showing. */
  readonly serves: boolean;
}

/** A user's kind, a letter: i for an integer id, s for a string; a capital one for a test user. */
export function kindOf(integer: number | undefined, tests: boolean): string {
  return integer === undefined ? (tests ? "S" : "s") : tests ? "I" : "i";
}

export function directKeys(keys: Keys, audiences: readonly DirectAudience[]): string[] {
  const parts = (key: string, count: number): string[] => Array.from({ length: count }, (_, number) => Keys.part(key, number));
  return audiences.flatMap(({ ref, main, strings }) => [...parts(keys.audience(ref), main), ...parts(keys.audienceStrings(ref), strings)]);
}

export interface SelectAsk {
  readonly userId: string;
  readonly sessionId: string | null;
  /** What a campaign that counts on serve counts. */
  readonly impressionId: string;
}

/** A campaign to show, none, or an error: why there is no decision for this user. */
export type SelectAnswer = number | null | PopupError;

/**
 * Decides for some users of one partition; one EVALSHA. The answers are in the order of the asks.
 * @param unlimited only campaigns without any limit may be shown: what users have seen is being restored
 */
export async function select(
  redis: RedisLink,
  keys: Keys,
  view: ListView,
  windows: Windows,
  asks: readonly SelectAsk[],
  unlimited = false,
): Promise<ListTrouble | { readonly tag: "decided"; readonly answers: SelectAnswer[] }> {
  const { now, day, week, month } = windows;
  const names: string[] = [keys.list, keys.stream];
  // Each argument costs time on both sides: what nearly no call needs is left out of the others.
  const { testUsers } = view;
  const withIds = view.serves || view.directKeys.length > 0 || asks.some(({ userId, sessionId }) => sessionId !== null || testUsers.has(userId));
  const args: (string | number)[] = [view.version, now, day, week, month, asks.length, "", (withIds ? "i" : "") + (unlimited ? "u" : "")];
  let kinds = "";
  for (const { userId, sessionId, impressionId } of asks) {
    const integer = integerId(userId);
    const row = view.findRow(userId, integer);
    kinds += kindOf(integer, testUsers.has(userId));
    names.push(keys.record(userId), row.key);
    args.push(row.from, row.to);
    if (withIds) args.push(userId, sessionId ?? "", impressionId);
  }
  args[6] = kinds;
  if (keys.share.count > 1 && view.directKeys.length > 0) args[7] += String(keys.share.count);
  const reply = await selectScript.run(redis, view.directKeys.length === 0 ? names : [...names, ...view.directKeys], args);
  const { tag, values } = decodeReply("select", reply, ["decided", "stale", "unpublished"], asks.length);
  if (tag !== "decided") return { tag };
  return { tag, answers: values.map((value) => (typeof value === "number" || value === null ? value : failure("select", value))) };
}

export interface ReportAsk {
  readonly type: EventType;
  readonly campaignId: number;
  readonly userId: string;
  readonly impressionId: string;
  readonly sessionId: string | null;
}

/** A report that was accepted earlier. */
export interface LateReport extends ReportAsk {
  /** When it was accepted, epoch ms. */
  readonly at: number;
}

const REPORT_WORDS = ["duplicate", "capped", "recorded", "unknown", "aside"] as const;
/** The user's count of a counted impression, or what else became of the report; an error: it was not taken. */
export type ReportAnswer = number | (typeof REPORT_WORDS)[number] | PopupError;

/** `full`: the event stream takes no more. */
export type ReportReply = ListTrouble | { readonly tag: "full" } | { readonly tag: "taken"; readonly answers: ReportAnswer[] };

/** Takes some reports of users of one partition; one EVALSHA. The answers are in the order of the asks. */
export function report(redis: RedisLink, keys: Keys, version: string, windows: Windows, asks: readonly ReportAsk[]): Promise<ReportReply> {
  return callReport(redis, keys, version, windows, "", asks);
}

/**
 * Takes some reports that were accepted earlier, each judged as of then; one EVALSHA. What cannot be counted is set
 * aside in the stream and answered with `aside`.
 * @param windowsAt the windows of the published time zone at a time, epoch ms
 */
export function reportLate(
  redis: RedisLink,
  keys: Keys,
  version: string,
  windows: Windows,
  asks: readonly LateReport[],
  windowsAt: (at: number) => Windows,
): Promise<ReportReply> {
  return callReport(redis, keys, version, windows, "late", asks, (args, { at }) => {
    const { day, week, month } = windowsAt(at);
    args.push(at, day, week, month);
  });
}

async function callReport<A extends ReportAsk>(
  redis: RedisLink,
  keys: Keys,
  version: string,
  windows: Windows,
  mode: "" | "late",
  asks: readonly A[],
  more?: (args: (string | number)[], ask: A) => void,
): Promise<ReportReply> {
  const { now, day, week, month } = windows;
  const names: string[] = [keys.list, keys.stream];
  const args: (string | number)[] = [version, now, day, week, month, asks.length, mode];
  for (const ask of asks) {
    const { type, campaignId, userId, impressionId, sessionId } = ask;
    names.push(keys.record(userId));
    args.push(type, campaignId, userId, impressionId, sessionId ?? "");
    more?.(args, ask);
  }
  const { tag, values } = decodeReply("report", await reportScript.run(redis, names, args), ["taken", "stale", "unpublished", "full"], asks.length);
  if (tag !== "taken") return { tag };
  return {
    tag,
    answers: values.map((value) => (typeof value === "number" ? value : (REPORT_WORDS.find((word) => word === value) ?? failure("report", value)))),
  };
}

function failure(script: "select" | "report", value: unknown): PopupError {
  return new PopupError("internal", `lua/${script}.lua: ${typeof value === "string" ? value : `answered ${JSON.stringify(value)}`}`);
}
