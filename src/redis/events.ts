/** Events as the stream holds them; `lua/lib/events.lua` writes them and describes the form. */
import { EVENT_TYPES, type PopupEvent } from "../event.js";
import { isUserId } from "../user-id.js";

/** The events of a stream entry's fields and values, in their order; a text for one that is none: why. */
export function decodeEvents(fields: readonly string[]): (PopupEvent | string)[] {
  const found: (PopupEvent | string)[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const [field = "", text = ""] = fields.slice(i, i + 2);
    found.push(field === "e" ? decodeEvent(text) : field === "x" ? reasonAside(text) : `field "${field}" is not e`);
  }
  return found.length > 0 ? found : ["it has no fields"];
}

/** What the script says of a report that it could not count: behind the seven parts. */
function reasonAside(text: string): string {
  return text.split(" ").slice(7).join(" ") || "it was set aside without a reason";
}

function decodeEvent(text: string): PopupEvent | string {
  const parts = text.split(" ");
  if (parts.length !== 7) return "it has not seven parts";
  const [kind = "", campaign = "", userId = "", impressionId = "", time = "", overCap = "", session = ""] = parts;
  const type = EVENT_TYPES.find((known) => known === kind);
  if (!type) return `type "${kind}" is none of ${EVENT_TYPES.join(", ")}`;
  const campaignId = /^\d+$/.test(campaign) ? Number(campaign) : Number.NaN;
  if (!Number.isSafeInteger(campaignId) || campaignId < 1) return `campaign "${campaign}" is not an id`;
  if (!isUserId(userId)) return `user "${userId}" is not an id`;
  if (impressionId === "") return "id is missing";
  const at = /^\d+$/.test(time) ? Number(time) : Number.NaN;
  if (!Number.isSafeInteger(at)) return `at "${time}" is not a time`;
  return { type, campaignId, userId, impressionId, at, overCap: overCap === "1", sessionId: session || null };
}
