/** What Redis has counted against the store's events, user by user. */
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { scan } from "../redis/scan.js";
import type { Store } from "../store/store.js";
import { partitionsToPublish } from "./partitions.js";
import { type Comparison, EventReading, forEachUser, type RestoreOptions } from "./restore.js";

export interface Difference {
  readonly user_id: string;
  /** Null for what is counted over all campaigns together. */
  readonly campaign_id: number | null;
  readonly what: "impressions" | "show times" | "sessions" | "reactions" | "the whole record";
  /** What Redis has, and what it should have by the events; times in ISO 8601. */
  readonly redis: string;
  readonly events: string;
}

export interface ReconcileOptions extends RestoreOptions {
  /** Makes the records anew in which something differs. */
  readonly fix: boolean;
  readonly onDifference: (difference: Difference) => void;
}

export interface Reconciliation {
  readonly users: number;
  readonly users_differing: number;
  readonly differences: number;
  readonly fixed: number;
}

const DAY_MS = 86_400_000;

/**
 * Compares the record of every user who has an event, or a record.
 * @param keys the names of all partitions
 * @param now epoch ms
 */
export async function reconcile(store: Store, redis: RedisLink, keys: Keys, now: number, options: ReconcileOptions): Promise<Reconciliation> {
  const { parts } = await partitionsToPublish(store, redis, keys);
  const events = new EventReading(store, redis, parts, now);
  await events.refresh();
  const users = [...new Set([...events.userIds(), ...(await usersWithRecords(redis, keys, parts.length))])];
  let usersDiffering = 0;
  let differences = 0;
  let fixed = 0;
  await forEachUser(users, events, options, async (userId) => {
    const comparison = await events.compare(userId);
    const found = comparison ? differencesOf(userId, comparison, now) : [damaged(userId)];
    if (found.length === 0) return;
    usersDiffering++;
    differences += found.length;
    found.forEach(options.onDifference);
    if (!options.fix) return;
    await events.restore(userId);
    fixed++;
  });
  return { users: users.length, users_differing: usersDiffering, differences, fixed };
}

/** @param count how many partitions there are */
async function usersWithRecords(redis: RedisLink, keys: Keys, count: number): Promise<string[]> {
  const found = new Set<string>();
  for await (const names of scan(redis, keys.recordPattern(count))) {
    for (const name of names) {
      const user = keys.userOfRecord(name, count);
      if (user !== undefined) found.add(user);
    }
  }
  return [...found];
}

const damaged = (userId: string): Difference => ({ user_id: userId, campaign_id: null, what: "the whole record", redis: "unreadable", events: "whole" });

/** @param now epoch ms; sessions that are over do not count */
function differencesOf(userId: string, { expected, actual }: Comparison, now: number): Difference[] {
  const found: Difference[] = [];
  for (const field of new Set([...expected.keys(), ...actual.keys()])) {
    const kind = KINDS[field.replace(/\d+$/, "")];
    if (!kind) continue;
    // What is kept for caps that are no more is in nobody's way.
    if (!expected.has(field) && kind.ofCaps(field)) continue;
    const [has, should] = kind.read(actual.get(field) ?? "", expected.get(field) ?? "", now);
    if (has !== should)
      found.push({ user_id: userId, campaign_id: /\d/.test(field) ? Number(field.replace(/^\D/, "")) : null, what: kind.what, redis: has, events: should });
  }
  return found;
}

interface Kind {
  readonly what: Difference["what"];
  /** Whether a field is kept only where caps ask for it. */
  readonly ofCaps: (field: string) => boolean;
  /** Both values in a form in which they differ only where it matters. */
  readonly read: (actual: string, expected: string, now: number) => [string, string];
}

const count: Kind["read"] = (actual, expected) => [actual || "0", expected || "0"];
/** The fields of a record by what is before the campaign's id, `lua/lib/record.lua`. */
const KINDS: Record<string, Kind | undefined> = {
  "": { what: "impressions", ofCaps: () => false, read: count },
  n: { what: "impressions", ofCaps: () => true, read: count },
  x: { what: "reactions", ofCaps: () => false, read: count },
  t: { what: "show times", ofCaps: () => true, read: (actual, expected) => latest(timesOf(actual), timesOf(expected)) },
  s: { what: "sessions", ofCaps: () => true, read: (actual, expected, now) => [sessionsOf(actual, now), sessionsOf(expected, now)] },
};

const timesOf = (text: string): string[] =>
  text
    .split(" ")
    .filter((time) => time !== "")
    .map((time) => new Date(Number(time)).toISOString());

/** As many of the latest as the caps ask for now; more may have been kept for former ones. */
function latest(actual: readonly string[], expected: readonly string[]): [string, string] {
  return [actual.slice(Math.max(0, actual.length - expected.length)).join(" "), expected.join(" ")];
}

/** `session×count`, in order; the form is that of `lua/lib/record.lua`. */
function sessionsOf(text: string, now: number): string {
  const sessions = [...text.matchAll(/~([^=]*)=(\d+)@([0-9a-f]+)/g)].filter(([, , , seconds = ""]) => parseInt(seconds, 16) * 1000 >= now - DAY_MS);
  return sessions
    .map(([, session = "", shows = ""]) => `${session}×${shows}`)
    .sort()
    .join(" ");
}
