/** The event stream's entries as the tests write and read them; lua/lib/events.lua describes the form. */
import type { RedisLink } from "../../dist/redis/cluster.js";

const PARTS = ["type", "campaign", "user", "id", "at", "over_cap", "session"] as const;
export type StreamEvent = Record<(typeof PARTS)[number], string>;

/** Fields and values of an entry, as XADD takes them. */
export function entryOf(event: StreamEvent): string[] {
  return ["e", PARTS.map((part) => event[part]).join(" ")];
}

/** The stream's events as objects, oldest first; an entry holds one or more. */
export async function readStream(redis: RedisLink, key: string): Promise<StreamEvent[]> {
  const entries = await redis.xrange(key, "-", "+");
  return entries
    .flatMap(([, fields]) => fields.filter((_, i) => i % 2 === 1))
    .map((text) => {
      const values = text.split(" ");
      return Object.fromEntries(PARTS.map((part, i) => [part, values[i]])) as StreamEvent;
    });
}
