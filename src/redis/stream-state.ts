/** Where the event stream stands: how long it is, and how far each consumer group has come. */
import type { ChainableCommander } from "ioredis";
import { compareStreamIds } from "../stream-id.js";
import type { RedisLink } from "./cluster.js";

export interface StreamGroup {
  /** The sink's name. */
  readonly name: string;
  /** Entries that were given to a worker and not acknowledged. */
  readonly pending: number;
  /** Entries that no worker has been given; an estimate where Redis does not know it (6.2, or after entries were deleted). */
  readonly lag: number;
  /** The oldest pending entry. */
  readonly oldestPending: string | null;
  readonly lastDelivered: string;
}

export interface StreamState {
  readonly entries: number;
  /** The newest id that was ever given, 0-0 where there is no stream. */
  readonly lastId: string;
  readonly groups: readonly StreamGroup[];
}

/** @throws what Redis answers when it cannot tell */
export async function readStreamState(redis: RedisLink, stream: string): Promise<StreamState> {
  const [[missing, info], [, groupList]] = await pair(redis.pipeline().xinfo("STREAM", stream).xinfo("GROUPS", stream));
  // A stream that is not there yet is an empty one.
  if (missing?.message.includes("no such key")) return { entries: 0, lastId: "0-0", groups: [] };
  if (missing) throw missing;
  const about = fieldsOf(info);
  const entries = Number(about.get("length"));
  const lastId = String(about.get("last-generated-id"));
  const firstId = idOf(about.get("first-entry"));
  const groups = (groupList as unknown[]).map(fieldsOf);
  const pending = redis.pipeline();
  for (const group of groups) pending.xpending(stream, String(group.get("name")));
  const summaries = groups.length === 0 ? [] : ((await pending.exec()) ?? []);
  return {
    entries,
    lastId,
    groups: groups.map((group, index) => {
      const [error, summary] = summaries[index] ?? [new Error("the connection closed"), null];
      if (error) throw error;
      const [count, oldestPending] = summary as [number, string | null];
      const lastDelivered = String(group.get("last-delivered-id"));
      const lag = group.get("lag");
      return {
        name: String(group.get("name")),
        pending: count,
        oldestPending,
        lastDelivered,
        lag: typeof lag === "number" ? lag : estimateLag(entries, firstId, lastId, lastDelivered),
      };
    }),
  };
}

/** Entries behind `delivered`, as if they had come evenly between the first and the last. */
export function estimateLag(entries: number, firstId: string | null, lastId: string, delivered: string): number {
  if (firstId === null || compareStreamIds(delivered, lastId) >= 0) return 0;
  if (compareStreamIds(delivered, firstId) < 0) return entries;
  const time = (id: string): number => Number(id.split("-")[0]);
  const share = (time(lastId) - time(delivered)) / Math.max(1, time(lastId) - time(firstId));
  // At least the last one is behind it.
  return Math.max(1, Math.round(share * (entries - 1)));
}

type Answer = readonly [error: Error | null, result: unknown];

async function pair(pipeline: ChainableCommander): Promise<readonly [Answer, Answer]> {
  const [first, second] = (await pipeline.exec()) ?? [];
  if (!first || !second) throw new Error("the connection closed");
  return [first, second];
}

/** A reply of names and values in turn. */
function fieldsOf(reply: unknown): Map<string, unknown> {
  const flat = reply as unknown[];
  const fields = new Map<string, unknown>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), flat[i + 1]);
  return fields;
}

function idOf(entry: unknown): string | null {
  return Array.isArray(entry) ? String(entry[0]) : null;
}
