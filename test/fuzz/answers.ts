/** Reads answers off a connection, and judges them. Everything that is not as it has to be is a text; no text means well. */
import type { EventType } from "../../dist/event.js";
import { CAMPAIGNS, type Want } from "./session.js";

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What the engine and uWebSockets.js write; anything else was put in by a client. */
const HEADERS = new Set(["allow", "cache-control", "connection", "content-length", "content-type", "date", "popup-degraded", "retry-after", "uwebsockets"]);
const STATUSES = new Set([200, 202, 204, 400, 404, 405, 413]);

export class Answers {
  #rest = "";

  take(chunk: Buffer): void {
    this.#rest += chunk.toString("latin1");
  }

  /** Bytes of an answer that is not complete. */
  get rest(): string {
    return this.#rest;
  }

  /**
   * The next one that is complete; interim ones (100) are left out.
   * @param toHead whether it is the answer to a HEAD, which has neither a body nor, from this uWebSockets, a length
   * @throws Error for bytes that are no answer
   */
  next(toHead: boolean | "perhaps" = false): Answer | undefined {
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const [first = "", ...lines] = this.#rest.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) [A-Z][A-Za-z ]+$/.exec(first)?.[1]);
    if (!(status >= 100)) throw new Error(`no status line: ${JSON.stringify(first.slice(0, 200))}`);
    const headers = new Map(
      lines.map((line) => {
        const [, name, value] = /^([A-Za-z-]+): (.*)$/.exec(line) ?? [];
        if (name === undefined || value === undefined) throw new Error(`no header: ${JSON.stringify(line.slice(0, 200))}`);
        return [name.toLowerCase(), value] as const;
      }),
    );
    const none = toHead === true || status < 200 || status === 204 || (toHead === "perhaps" && !headers.has("content-length"));
    const length = none ? 0 : Number(headers.get("content-length"));
    if (!Number.isInteger(length)) throw new Error(`${status} without a length`);
    if (this.#rest.length < end + 4 + length) return undefined;
    const body = Buffer.from(this.#rest.slice(end + 4, end + 4 + length), "latin1").toString();
    this.#rest = this.#rest.slice(end + 4 + length);
    return status < 200 ? this.next(toHead) : { status, headers, body };
  }
}

/** What is wrong with an answer, whatever was asked. */
export function faultOfAny(answer: Answer): string | undefined {
  const { status, headers, body } = answer;
  if (!STATUSES.has(status) && !isUnready(answer)) return `status ${status}: ${body.slice(0, 200)}`;
  for (const name of headers.keys()) if (!HEADERS.has(name)) return `a header ${name} that nobody writes`;
  if (headers.get("cache-control") !== "no-store") return `${status} may be cached`;
  if (body !== "" && parsed(body) === undefined) return `${status} with a body that is no JSON: ${body.slice(0, 200)}`;
  if (/\.(js|ts|lua):\d|\n\s+at /.test(body)) return `a stack trace: ${body.slice(0, 200)}`;
  return undefined;
}

/** What is wrong with it as the answer to a request that wants something. */
export function faultOf(answer: Answer, want: Want): string | undefined {
  const any = faultOfAny(answer);
  if (any !== undefined) return any;
  switch (want.kind) {
    case "popup":
      return popupFault(answer);
    case "receipt":
      return receiptFault(answer, want.type);
    case "problem":
      return want.orSpooled === true && isSpooled(answer) ? undefined : problemFault(answer, want.status, want.field, want.bodyless === true);
    case "well":
      return isUnready(answer) || (answer.status === 200 && /^\{"(ok|ready)":true/.test(answer.body)) ? undefined : unlike(answer, "200, well");
  }
}

/** A decision that missed its deadline: right by the contract, and nobody's fault on a busy machine. */
export const isDegraded = ({ headers }: Answer): boolean => headers.has("popup-degraded");

/** `/readyz` while the engine's breaker is open, after decisions that were late: right as well. */
export const isUnready = ({ status, body }: Answer): boolean => status === 503 && parsed(body)?.detail === "Redis is away; see popup doctor";

/** Accepted while Redis was asked in vain. */
export const isSpooled = ({ status, body }: Answer): boolean => status === 202 && parsed(body)?.spooled === true;

function popupFault(answer: Answer): string | undefined {
  if (answer.status === 204 && isDegraded(answer)) return undefined;
  const popup = parsed(answer.body);
  const whole =
    answer.status === 200 &&
    CAMPAIGNS.some((id) => id === popup?.campaign_id) &&
    typeof popup?.title === "string" &&
    /^[0-9a-f-]{36}$/.test(String(popup.impression_id));
  return whole ? undefined : unlike(answer, "200 with a popup");
}

function receiptFault(answer: Answer, type: EventType): string | undefined {
  const receipt = parsed(answer.body);
  const right =
    isSpooled(answer) ||
    (type === "impression"
      ? (receipt?.counted === true && Number(receipt.total) > 0) || (receipt?.counted === false && /^(duplicate|capped)$/.test(String(receipt.reason)))
      : receipt?.recorded === true);
  return answer.status === 202 && right ? undefined : unlike(answer, `202 for ${type}`);
}

function problemFault(answer: Answer, status: number, field: string | undefined, bodyless: boolean): string | undefined {
  const { headers, body } = answer;
  if (answer.status !== status || headers.get("content-type") !== "application/problem+json") return unlike(answer, `problem ${status}`);
  if (status === 405 && !/^(GET|POST)$/.test(headers.get("allow") ?? "")) return unlike(answer, "405 with allow");
  if (bodyless) return body === "" ? undefined : unlike(answer, "no body after HEAD");
  const problem = parsed(body);
  if (problem?.status !== status || typeof problem.title !== "string" || typeof problem.detail !== "string")
    return unlike(answer, `a problem document of ${status}`);
  return field === undefined || problem.field === field ? undefined : unlike(answer, `the field ${field}`);
}

function unlike({ status, body }: Answer, wanted: string): string {
  return `${status} ${body.slice(0, 300)} instead of ${wanted}`;
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
