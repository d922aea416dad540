/** Asks what one user would see and what stands against each campaign: the rules of `select`, by `lua/explain.lua`. Nothing is written. */
import { REACTIONS } from "../campaign.js";
import type { Cap } from "../caps.js";
import { invalid, PopupError, reasonOf } from "../errors.js";
import type { Against, Candidate, Explanation, FullCap } from "../explanation.js";
import { type Manifest, readManifest } from "../manifest.js";
import { CAP_KIND } from "../packed-list.js";
import { failedPart } from "../target-part.js";
import { windowsAfter, windowsAt } from "../time.js";
import { integerId } from "../user-id.js";
import type { RedisLink } from "./cluster.js";
import { directKeys, kindOf } from "./decisions.js";
import type { Keys } from "./keys.js";
import { rowFinder } from "./rows.js";
import { decodeReply, Script } from "./script.js";
import { countersAreWhole } from "./verified.js";

const explainScript = new Script("explain");
/** Publishes in the middle of one reading. */
const ATTEMPTS = 5;
/** No cap's window reaches back further, so no show time is kept for longer. */
const MOST_PAST_MS = 366 * 86_400_000;
/** By so much the clocks of processes may differ. */
const SKEW_MS = 60_000;

export interface ExplainAsk {
  readonly userId: string;
  /** Null for a request that names none: session caps do not hold it back. */
  readonly sessionId: string | null;
  /** The time to decide for, and the present, epoch ms. What users have seen is that of the present. */
  readonly at: number;
  readonly now: number;
  /** Take the counters for whole although nobody has said so: no engine uses this server yet. */
  readonly trusting?: boolean;
}

interface Meta {
  readonly title: string;
  readonly draft: boolean;
  readonly target: string;
  readonly start: number;
  readonly end: number;
}

/** @param keys of the user's partition. @throws PopupError `invalid` for a time long past, `unavailable` when nothing is published, or Redis fails, or the user's record is damaged */
export async function explain(redis: RedisLink, keys: Keys, ask: ExplainAsk): Promise<Explanation> {
  try {
    return await askScript(redis, keys, ask);
  } catch (error) {
    if (error instanceof PopupError) throw error;
    throw new PopupError("unavailable", `Redis cannot explain it: ${reasonOf(error)}`, {
      hint: "is Redis well (popup doctor)? A record that is damaged is made anew by popup reconcile --fix",
      cause: error,
    });
  }
}

/** The time zone that is published. @throws PopupError `unavailable` when nothing is */
export async function publishedTimezone(redis: RedisLink, keys: Keys): Promise<string> {
  return (await readPublished(redis, keys)).timezone;
}

async function readPublished(redis: RedisLink, keys: Keys): Promise<Manifest> {
  const text = await redis.get(keys.manifest);
  if (text === null) throw new PopupError("unavailable", "nothing is published", { hint: "popup sync publishes what the store has" });
  return readManifest(text);
}

async function askScript(redis: RedisLink, keys: Keys, ask: ExplainAsk): Promise<Explanation> {
  if (ask.at < ask.now - MOST_PAST_MS) throw invalid("at", "is more than a year ago", "what users have seen is not kept for longer");
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const manifest = await readPublished(redis, keys);
    const metas = await readMetas(redis, keys, manifest);
    const recovering = ask.trusting !== true && !(await countersAreWhole(redis, keys));
    const {
      tag,
      values: [decision, ...verdicts],
    } = await run(redis, keys, manifest, ask, recovering);
    // Read again when another list was published meanwhile; what was read before would not be of it.
    if (tag !== "explained") continue;
    return {
      userId: ask.userId,
      sessionId: ask.sessionId,
      at: ask.at,
      timezone: manifest.timezone,
      version: manifest.version,
      recovering,
      decision: decision === null ? null : Number(decision),
      candidates: verdicts.map((verdict) => candidateOf(verdict, metas)),
    };
  }
  throw new PopupError("conflict", "the published campaigns change faster than they can be read", { hint: "run it again" });
}

async function readMetas(redis: RedisLink, keys: Keys, { active }: Manifest): Promise<ReadonlyMap<number, Meta>> {
  const rows = await Promise.all(active.map((id) => redis.hmget(keys.meta(id), "title", "target_segment", "start_time", "end_time", "status")));
  return new Map(
    active.map((id, i) => {
      const [title, target, start, end, status] = rows[i] ?? [];
      return [
        id,
        {
          title: title ?? "",
          draft: status === "draft",
          target: target ?? "all",
          start: Math.round(Number(start) * 1000),
          end: Math.round(Number(end) * 1000),
        },
      ];
    }),
  );
}

async function run(
  redis: RedisLink,
  keys: Keys,
  { version, timezone, index, direct, test_users }: Manifest,
  { userId, sessionId, at, now }: ExplainAsk,
  recovering: boolean,
): Promise<{ tag: string; values: unknown[] }> {
  const integer = integerId(userId);
  const row = rowFinder(keys, index)(userId, integer);
  const { day, week, month } = windowsAt(at, timezone);
  const later = windowsAfter(at, Math.max(at, now) + SKEW_MS, timezone);
  const reply = await explainScript.run(
    redis,
    [keys.list, keys.record(userId), row.key, ...directKeys(keys, direct)],
    [
      version,
      at,
      day,
      week,
      month,
      userId,
      kindOf(integer, test_users.includes(userId)),
      sessionId ?? "",
      `${recovering ? "u" : ""}${keys.share.count === 1 ? "" : keys.share.count}`,
      row.from,
      row.to,
      ...later.flatMap((windows) => [windows.now, windows.day, windows.week, windows.month]),
    ],
  );
  return decodeReply("explain", reply, ["explained", "stale", "unpublished"]);
}

/** @param verdict as the head of `lua/explain.lua` describes it */
function candidateOf(verdict: unknown, metas: ReadonlyMap<number, Meta>): Candidate {
  if (!Array.isArray(verdict)) throw odd(verdict);
  const [id, kind, next, ...more] = verdict as readonly unknown[];
  const meta = metas.get(Number(id));
  if (!meta) throw odd(verdict);
  return {
    campaignId: Number(id),
    title: meta.title,
    draft: meta.draft,
    start: meta.start,
    end: meta.end,
    against: kind === null ? null : againstOf(kind, more, meta.target),
    next: typeof next === "number" ? next : null,
  };
}

function againstOf(kind: unknown, more: readonly unknown[], target: string): Against {
  switch (kind) {
    case "not_started":
    case "ended":
    case "recovering":
    case "crowded":
      return { kind };
    case "not_in_target": {
      const [step, steps] = more;
      return { kind, ...failedPart(target, typeof step === "number" ? step : null, Number(steps)) };
    }
    case "stopped":
      return { kind, by: REACTIONS.filter((_, i) => (Number(more[0]) & (1 << i)) !== 0) };
    case "capped": {
      const [first, ...others] = more.map(fullCapOf);
      if (first) return { kind, caps: [first, ...others] };
    }
  }
  throw odd([kind, ...more]);
}

function fullCapOf(packed: unknown): FullCap {
  const [of, number, limit, duration, shown, held] = Array.isArray(packed) ? (packed as readonly unknown[]) : [];
  return {
    cap: capOf(Number(number), Number(limit), Number(duration)),
    of: of === "campaign" ? "campaign" : "user_caps",
    shown: Number(shown),
    held: Number(held),
  };
}

function capOf(kind: number, limit: number, durationMs: number): Cap {
  const window = (Object.keys(CAP_KIND) as (keyof typeof CAP_KIND)[]).find((name) => CAP_KIND[name] === kind);
  if (window === undefined) throw odd(kind);
  return window === "rolling" ? { limit, window, durationMs } : { limit, window };
}

function odd(value: unknown): PopupError {
  return new PopupError("internal", `lua/explain.lua answered ${JSON.stringify(value)}`);
}
