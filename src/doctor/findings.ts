/** What the metrics of a running engine say is wrong, in words, and what to do about it. */
import type { Exposition } from "./exposition.js";

export interface Finding {
  /** Its name in deploy/alerts.yml and on the page on operations. */
  readonly alarm: string;
  readonly level: "alarm" | "warning";
  readonly what: string;
  readonly hint: string;
}

export interface Scrapes {
  readonly now: Exposition;
  /** A little earlier: what rose in between happens now. */
  readonly before: Exposition;
  /** Unix time of `now`, s. */
  readonly time: number;
}

type Rule = (scrapes: Scrapes) => Finding | undefined;
type Found = Omit<Finding, "alarm" | "level"> | undefined | false;

const rule =
  (alarm: string, level: Finding["level"], look: (scrapes: Scrapes) => Found): Rule =>
  (scrapes) => {
    const found = look(scrapes);
    return found ? { alarm, level, ...found } : undefined;
  };

/** Share of decisions that may be degraded, or late. */
const MOST_SHARE = 0.01;
/** Fewer than this happen to anyone. */
const FEW = 3;
/** The promise, s; a bound of the histogram. */
const PROMISE = "0.05";
const OLD_S = 300;
const MOST_BACKLOG = 100_000;
const FAILED = ["timeout", "unavailable", "unpublished"];

const number = (n: number): string => Math.round(n).toLocaleString("en-US");
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
/** By how much a counter rose between the scrapes; it starts at 0 again with its process. */
const risen = ({ now, before }: Scrapes, name: string, wanted = {}): number => Math.max(0, (now.sum(name, wanted) ?? 0) - (before.sum(name, wanted) ?? 0));

const RULES: readonly Rule[] = [
  rule("PopupProcessMissing", "alarm", ({ now }) => {
    const missing = now
      .all("popup_processes")
      .filter(({ value }) => value === 0)
      .map(({ labels }) => labels.part);
    return (
      missing.length > 0 && { what: `no ${missing.join(" and no ")} process answers`, hint: "the log of popup serve says why it ends, or what it waits for" }
    );
  }),
  rule(
    "PopupRedisDown",
    "alarm",
    ({ now }) =>
      now.sum("popup_redis_up") === 0 && {
        what: "Redis does not answer",
        hint: "is it running, and not frozen? The embedded one's log is redis/redis.log in the data folder",
      },
  ),
  rule("PopupBreakerOpen", "alarm", ({ now }) => {
    const open = now
      .all("popup_breaker_open")
      .filter(({ value }) => value > 0)
      .map(({ labels }) => labels.of ?? "requests");
    return (
      open.length > 0 && {
        what: `the breaker is open for ${open.join(" and ")}: Redis is not asked, because it failed again and again`,
        hint: "see what Redis is doing; the breaker closes by itself when Redis answers again",
      }
    );
  }),
  rule(
    "PopupNothingPublished",
    "alarm",
    ({ now }) =>
      now.sum("popup_redis_up") === 1 &&
      now.sum("popup_published_version_info") === undefined && {
        what: "Redis holds no list of campaigns",
        hint: "popup sync publishes it; after a loss of Redis' data: popup sync --full",
      },
  ),
  rule("PopupDegraded", "alarm", (scrapes) => {
    const all = risen(scrapes, "popup_decisions_total");
    const causes = degraded(scrapes, (result) => risen(scrapes, "popup_decisions_total", { result }));
    const share = tooMany(causes, all);
    return (
      share !== undefined && {
        what: `${percent(share)} of decisions are degraded now: ${list(causes)}`,
        hint: "docs/operations.md, degraded answers, has a row for each cause",
      }
    );
  }),
  rule("PopupWasDegraded", "warning", (scrapes) => {
    const all = scrapes.now.sum("popup_decisions_total") ?? 0;
    const causes = degraded(scrapes, (result) => scrapes.now.sum("popup_decisions_total", { result }) ?? 0);
    const share = tooMany(causes, all);
    return (
      share !== undefined && {
        what: `${percent(share)} of all decisions since the start were degraded: ${list(causes)}`,
        hint: "the log says when the trouble was",
      }
    );
  }),
  rule("PopupSlow", "warning", (scrapes) => {
    const all = risen(scrapes, "popup_decision_seconds_count");
    const late = all - risen(scrapes, "popup_decision_seconds_bucket", { le: PROMISE });
    return (
      late >= FEW &&
      late / all > MOST_SHARE && {
        what: `${percent(late / all)} of decisions take longer than 50 ms now`,
        hint: "are the cores busy, does the machine swap? SLOWLOG GET tells of slow commands in Redis",
      }
    );
  }),
  rule("PopupReportsRefused", "alarm", (scrapes) => {
    const refused = risen(scrapes, "popup_reports_total", { result: FAILED });
    return (
      refused > 0 && {
        what: `${number(refused)} reports were refused with 503 just now`,
        hint: "Redis is away, or the list is not published; the app has to send them again",
      }
    );
  }),
  rule("PopupErrors", "warning", ({ now }) => {
    const errors = now.sum("popup_refused_total", { status: "500" }) ?? 0;
    return (
      errors > 0 && {
        what: `${number(errors)} requests were answered with 500 since the start`,
        hint: "a fault of the engine: report it with its line in the log, a request failed",
      }
    );
  }),
  rule("PopupRedisMemory", "alarm", ({ now }) => memory(now, 0.95, Infinity)),
  rule("PopupRedisMemoryHigh", "warning", ({ now }) => memory(now, 0.8, 0.95)),
  rule(
    "PopupSyncTrouble",
    "alarm",
    ({ now }) =>
      (now.sum("popup_sync_trouble") ?? 0) > 0 && {
        what: "sync is in trouble: changes of campaigns do not go live",
        hint: "its line in the log, trouble, has the cause",
      },
  ),
  rule("PopupPublishOld", "alarm", ({ now, time }) => {
    const seen = now.sum("popup_sync_current_timestamp_seconds");
    return (
      seen !== undefined &&
      time - seen > OLD_S && {
        what: `Redis was last brought up to the store ${number(time - seen)} s ago`,
        hint: "a list of millions may take minutes; otherwise its log says what it waits for",
      }
    );
  }),
  rule(
    "PopupWorkerTrouble",
    "alarm",
    ({ now }) =>
      (now.sum("popup_worker_trouble") ?? 0) > 0 && {
        what: "the worker is in trouble: events stay in the stream",
        hint: "its line in the log, trouble, has the cause: a locked store, a full disk, Redis",
      },
  ),
  rule("PopupBacklog", "alarm", ({ now }) => {
    const waiting = (now.sum("popup_stream_lag") ?? 0) + (now.sum("popup_stream_pending") ?? 0);
    return (
      waiting > MOST_BACKLOG && {
        what: `${number(waiting)} entries of the stream await the worker`,
        hint: "start further workers, or find what holds it up; nothing is lost while Redis has the memory",
      }
    );
  }),
  rule("PopupStreamOld", "warning", ({ now }) => {
    const age = now.sum("popup_stream_oldest_seconds") ?? 0;
    return (
      age > OLD_S && {
        what: `an event has been waiting in the stream for ${number(age)} s`,
        hint: "does a worker run? With a sink that is not used any more: XINFO GROUPS, and XGROUP DESTROY its group",
      }
    );
  }),
  rule("PopupDeadEvents", "warning", ({ now }) => {
    const dead = now.sum("popup_dead_events") ?? 0;
    return (
      dead > 0 && {
        what: `${number(dead)} events were set aside, because they could not be kept`,
        hint: "popup dead list says why; after a fix popup dead retry",
      }
    );
  }),
  rule("PopupSpoolOld", "alarm", ({ now }) => {
    const age = now.sum("popup_spool_oldest_seconds") ?? 0;
    return (
      age > OLD_S && {
        what: `a report has been waiting in the spool for ${number(age)} s`,
        hint: "it is replayed when Redis takes it; the log says what keeps it",
      }
    );
  }),
  rule("PopupSpoolUsed", "warning", ({ now }) => {
    const records = now.sum("popup_spool_records") ?? 0;
    return (
      records > 0 && {
        what: `${number(records)} reports are in the spool and not in Redis`,
        hint: "they are replayed by themselves when Redis is back; until then they count in no cap",
      }
    );
  }),
];

/** What is wrong, alarms first. An engine that has no metric for a thing has nothing wrong with it. */
export function findings(scrapes: Scrapes): Finding[] {
  const found = RULES.flatMap((look) => look(scrapes) ?? []);
  return [...found.filter(({ level }) => level === "alarm"), ...found.filter(({ level }) => level === "warning")];
}

/** How many decisions had each result that is no proper answer. */
function degraded({ now }: Scrapes, count: (result: string) => number): [result: string, count: number][] {
  const results = new Set(now.all("popup_decisions_total").map(({ labels }) => labels.result ?? ""));
  return [...results]
    .filter((result) => result !== "show" && result !== "none")
    .map((result): [string, number] => [result, count(result)])
    .filter(([, n]) => n > 0);
}

/** Their share of all, if it is more than may be. */
function tooMany(causes: readonly (readonly [string, number])[], all: number): number | undefined {
  const count = causes.reduce((sum, [, n]) => sum + n, 0);
  return count >= FEW && count / all > MOST_SHARE ? count / all : undefined;
}

const list = (counts: readonly (readonly [string, number])[]): string => counts.map(([name, count]) => `${name} ${number(count)}`).join(", ");

function memory(now: Exposition, from: number, to: number): Found {
  const most = now.sum("popup_redis_maxmemory_bytes") ?? 0;
  const share = (now.sum("popup_redis_used_memory_bytes") ?? 0) / most;
  return (
    most > 0 &&
    share >= from &&
    share < to && {
      what: `Redis uses ${percent(share)} of its memory`,
      hint: "raise maxmemory, or find what grew: the stream (a worker that is behind), audiences, users' records. A full Redis counts nothing any more",
    }
  );
}
