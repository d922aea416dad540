/** What a user would see and why: the types of an explanation, its words and its JSON (DESIGN §9). Nothing is decided here. */
import type { Reaction } from "./campaign.js";
import { type Cap, formatCap } from "./caps.js";
import { formatTarget, type Target } from "./target.js";
import type { FailedPart } from "./target-part.js";
import { formatTime } from "./time.js";

/** A cap that has no room. */
export interface FullCap {
  readonly cap: Cap;
  /** Whether it is the campaign's own, or one of the setting `user_caps` over all popups of the user. */
  readonly of: "campaign" | "user_caps";
  /** Impressions in its window. */
  readonly shown: number;
  /** Places in it that decisions hold until their impression is reported. */
  readonly held: number;
}

/** What stands against showing a campaign to a user. */
export type Against =
  | { readonly kind: "not_started" | "ended" | "recovering" | "crowded" }
  | ({ readonly kind: "not_in_target" } & FailedPart)
  | { readonly kind: "stopped"; readonly by: readonly Reaction[] }
  | { readonly kind: "capped"; readonly caps: readonly [FullCap, ...FullCap[]] };

export interface Candidate {
  readonly campaignId: number;
  readonly title: string;
  /** True for a draft that the user is a test user of; others are not told of it. */
  readonly draft: boolean;
  /** When it starts and ends, epoch ms. */
  readonly start: number;
  readonly end: number;
  /** Null when the user may see it; of those the first is the decision. */
  readonly against: Against | null;
  /** The first later time at which nothing stands against it, if nothing else happens until then, epoch ms; null when there is none. */
  readonly next: number | null;
}

export interface Explanation {
  readonly userId: string;
  readonly sessionId: string | null;
  /** The time that is explained, epoch ms. */
  readonly at: number;
  /** That of the calendar caps. */
  readonly timezone: string;
  /** Of the published list that was looked at. */
  readonly version: string;
  /** True when what users have seen is being restored, so that only campaigns without any limit are shown. */
  readonly recovering: boolean;
  /** The campaign shown, or null. */
  readonly decision: number | null;
  /** Every active campaign, and for a test user the drafts, in the order of selection. */
  readonly candidates: readonly Candidate[];
}

/** One word for what stands against a campaign, for programs. */
export type ReasonCode = "not_started" | "ended" | "not_in_target" | "recovering" | "stopped" | "cap" | "user_cap" | "held";

/** A cap that has no room counts by its first: full by what was shown, or only because places are held. */
export function reasonCode(against: Against): ReasonCode {
  if (against.kind === "crowded") return "held";
  if (against.kind !== "capped") return against.kind;
  const [{ of, cap, shown }] = against.caps;
  return shown < cap.limit ? "held" : of === "campaign" ? "cap" : "user_cap";
}

/** What stands against a campaign, in a few words. @param time writes an epoch ms */
export function reasonText({ against, start, end }: Candidate, time: (ms: number) => string): string {
  switch (against?.kind) {
    case undefined:
      return "";
    case "not_started":
      return `starts ${time(start)}`;
    case "ended":
      return `ended ${time(end)}`;
    case "not_in_target":
      return targetText(against);
    case "recovering":
      return "counters are being restored";
    case "stopped":
      return `stopped by ${against.by.join(" and ")}`;
    case "crowded":
      return "too many places are held";
    case "capped":
      return against.caps.map(capText).join(", ");
  }
}

function targetText({ part, loaded }: Extract<Against, { kind: "not_in_target" }>): string {
  const name = ({ kind }: Target, text: string): string => (kind === "users" ? "its user list" : text);
  if (part === null) return "a segment of its target is gone";
  if (part.kind === "users" && !loaded) return "its user list is not loaded";
  if (part.kind === "users" || part.kind === "segment") return `not in ${name(part, formatTarget(part))}`;
  if (part.kind === "not" && (part.of.kind === "users" || part.of.kind === "segment")) return `in ${name(part.of, formatTarget(part.of))}, which it excludes`;
  return `not in target ${formatTarget(part)}`;
}

function capText({ cap, of, shown, held }: FullCap): string {
  const places = held === 0 ? "" : ` and ${held} held`;
  return `${of === "campaign" ? "" : "user_caps "}${formatCap(cap)}: ${shown} shown${places}`;
}

export interface ExplanationJson {
  user_id: string;
  session_id: string | null;
  at: string;
  version: string;
  recovering: boolean;
  decision: { campaign_id: number } | null;
  candidates: CandidateJson[];
}
export interface CandidateJson {
  campaign_id: number;
  title: string;
  status: "active" | "draft";
  eligible: boolean;
  code: ReasonCode | null;
  reason: string | null;
  next_eligible_at: string | null;
  /** What of the target the user fails; null where that is not what stands against it. */
  part: string | null;
  caps: { cap: string; of: FullCap["of"]; shown: number; held: number }[];
}

/** The JSON of DESIGN §9, with more fields; times in ISO 8601 with the offset of the explanation's zone. */
export function explanationToJson({ userId, sessionId, at, timezone, version, recovering, decision, candidates }: Explanation): ExplanationJson {
  const time = (ms: number): string => formatTime(ms, timezone);
  return {
    user_id: userId,
    session_id: sessionId,
    at: time(at),
    version,
    recovering,
    decision: decision === null ? null : { campaign_id: decision },
    candidates: candidates.map((candidate) => {
      const { campaignId, title, draft, against, next } = candidate;
      return {
        campaign_id: campaignId,
        title,
        status: draft ? "draft" : "active",
        eligible: against === null,
        code: against && reasonCode(against),
        reason: against && reasonText(candidate, time),
        next_eligible_at: next === null ? null : time(next),
        part: against?.kind === "not_in_target" && against.part !== null ? formatTarget(against.part) : null,
        caps: against?.kind === "capped" ? against.caps.map(({ cap, of, shown, held }) => ({ cap: formatCap(cap), of, shown, held })) : [],
      };
    }),
  };
}
