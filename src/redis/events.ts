/** Events as the stream holds them; `lua/lib/events.lua` writes them and describes the form. */
import { EVENT_TYPES, type PopupEvent } from "../event.js";
import { isUserId } from "../user-id.js";

/** The event of a stream entry's fields and values, or why it is none. */
export function decodeEvent(fields: readonly string[]): PopupEvent | string {
  const [field, text = ""] = fields;
  const parts = text.split(" ");
  if (field !== "e" || fields.length !== 2 || parts.length !== 7) return "not one field e of seven parts";
  const [kind = "", campaign = "", userId = "", impressionId = "", time = "", overCap = "", session = ""] = parts;
  const type = EVENT_TYPES.find((known) => known === kind);
  if (!type) return `type "${kind}" is none of ${EVENT_TYPES.join(", ")}`;
  const campaignId = Number(campaign);
  if (!Number.isInteger(campaignId) || campaignId < 1) return `campaign "${campaign}" is not an id`;
  if (!isUserId(userId)) return `user "${userId}" is not an id`;
  if (impressionId === "") return "id is missing";
  const at = time === "" ? Number.NaN : Number(time);
  if (!Number.isSafeInteger(at) || at < 0) return `at "${time}" is not a time`;
  return { type, campaignId, userId, impressionId, at, overCap: overCap === "1", sessionId: session || null };
}
