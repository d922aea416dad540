/** Reading what the app sends: the query, the path and the body, each bounded. */
import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import { parseCampaignId } from "../campaign.js";
import type { Report } from "../engine/answers.js";
import { invalid, PopupError } from "../errors.js";
import { type EventType, readToken } from "../event.js";
import { isUserId, parseUserId } from "../user-id.js";

const MAX_BODY_BYTES = 4_096;
const MAX_QUERY_LENGTH = 2_048;

export interface PopupQuery {
  readonly userId: string;
  readonly sessionId: string | null;
}

/** The query of a decision. @throws PopupError `invalid`, naming the parameter */
export function readPopupQuery(query: string): PopupQuery {
  // What nearly every request looks like needs no general parser.
  if (query.startsWith("user_id=") && isUserId(query.slice(8))) return { userId: query.slice(8), sessionId: null };
  if (query.length > MAX_QUERY_LENGTH) throw invalid("query", `has ${query.length} characters`, `at most ${MAX_QUERY_LENGTH}`);
  const parameters = new Map<string, string>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const [name, value] = splitPair(pair);
    if (parameters.has(name)) throw invalid(name, "is given twice", "give it once");
    parameters.set(name, value);
  }
  return { userId: parseUserId(parameters.get("user_id")), sessionId: readToken("session_id", parameters.get("session_id")) };
}

function splitPair(pair: string): [string, string] {
  const cut = pair.indexOf("=");
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text.replaceAll("+", " "));
    } catch {
      throw invalid("query", "has a wrong percent-encoding", "encode it as UTF-8");
    }
  };
  return cut < 0 ? [decode(pair), ""] : [decode(pair.slice(0, cut)), decode(pair.slice(cut + 1))];
}

/** Fatal: a body that is not UTF-8 is refused instead of turned into other characters. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** A report from its path and body. @throws PopupError `invalid`, naming the field */
export function readReport(type: EventType, campaign: string, body: Uint8Array): Report {
  const campaignId = parseCampaignId(campaign);
  let value: unknown;
  try {
    value = JSON.parse(UTF8.decode(body));
  } catch {
    throw invalid("body", "is not JSON", 'send {"user_id": …, "impression_id": …}');
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("body", "is not a JSON object", 'send {"user_id": …, "impression_id": …}');
  }
  const own = (name: string): unknown => (Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined);
  return {
    type,
    campaignId,
    userId: parseUserId(own("user_id")),
    impressionId: readToken("impression_id", own("impression_id")),
    sessionId: readToken("session_id", own("session_id")),
  };
}

/**
 * Collects the body of a request. Register `res.onAborted` before.
 * @param done gets bytes that are its own for as long as it runs, or `too_large` past {@link MAX_BODY_BYTES};
 *   nothing more of the body is kept then
 */
export function readBody(req: HttpRequest, res: HttpResponse, done: (body: Uint8Array | PopupError) => void): void {
  const tooLarge = (): PopupError =>
    new PopupError("too_large", `the body is longer than ${MAX_BODY_BYTES} bytes`, {
      hint: "a report needs user_id, impression_id and session_id only",
      field: "body",
    });
  const length = req.getHeader("content-length");
  if (Number(length) > MAX_BODY_BYTES) {
    res.onData(() => undefined);
    done(tooLarge());
    return;
  }
  // Of a body that is said to be empty, uWebSockets tells nothing when the header came in several packets.
  if (length !== "" && Number(length) === 0 && req.getHeader("transfer-encoding") === "") {
    res.onData(() => undefined);
    done(new Uint8Array());
    return;
  }
  let kept: Buffer | undefined;
  let over = false;
  res.onData((chunk, last) => {
    if (over) return;
    const length = (kept?.length ?? 0) + chunk.byteLength;
    over = length > MAX_BODY_BYTES;
    if (over) done(tooLarge());
    // Nearly every body comes in one piece, which is read where it lies.
    else if (last) done(kept ? Buffer.concat([kept, new Uint8Array(chunk)]) : new Uint8Array(chunk));
    // Its memory is uWebSockets' own and is gone after this call: concat copies it.
    else kept = Buffer.concat([kept ?? Buffer.alloc(0), new Uint8Array(chunk)]);
  });
}
