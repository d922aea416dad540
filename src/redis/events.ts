/** Events as the stream holds them; `lua/lib/events.lua` writes them. */
import { EVENT_TYPES, type PopupEvent } from "../event.js";
import { isUserId } from "../user-id.js";

/** The event of a stream entry's fields and values, or why it is none. */
export function decodeEvent(fields: readonly string[]): PopupEvent | string {
  const entry = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) entry.set(fields[i] ?? "", fields[i + 1] ?? "");
  const type = EVENT_TYPES.find((known) => known === entry.get("type"));
  if (!type) return `type "${entry.get("type") ?? ""}" is none of ${EVENT_TYPES.join(", ")}`;
  const campaignId = Number(entry.get("campaign"));
  if (!Number.isInteger(campaignId) || campaignId < 1) return `campaign "${entry.get("campaign") ?? ""}" is not an id`;
  const userId = entry.get("user") ?? "";
  if (!isUserId(userId)) return `user "${userId}" is not an id`;
  const impressionId = entry.get("id") ?? "";
  if (impressionId === "") return "id is missing";
  const at = Number(entry.get("at"));
  if (!Number.isSafeInteger(at) || at < 0) return `at "${entry.get("at") ?? ""}" is not a time`;
  return { type, campaignId, userId, impressionId, at, overCap: entry.get("over_cap") === "1", sessionId: entry.get("session") || null };
}
