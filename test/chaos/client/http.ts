/** The app's side of HTTP: one request, one answer, and never an exception. */
import { Agent, request } from "node:http";
import type { EventType } from "../../../src/event.js";
import type { Answer } from "../history.js";

/** A GET that has no answer by then will not get one. */
export const GET_PATIENCE_MS = 2_000;
const REPORT_PATIENCE_MS = 5_000;
/** Shorter than the server's own, so that a connection is not used while the server closes it. */
const IDLE_MS = 4_000;

interface Raw { readonly status: number; readonly headers: Record<string, unknown>; readonly text: string }

export class AppClient {
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_MS });

  /** @param url of the engine, without a path */
  constructor(private readonly url: string) {}

  async popup(user: string): Promise<Answer> {
    const raw = await this.#send("GET", `/v1/campaigns/popup?user_id=${user}`, undefined, GET_PATIENCE_MS);
    if ("kind" in raw) return raw;
    if (raw.status === 204) return { kind: "none", degraded: raw.headers["popup-degraded"] === undefined ? null : String(raw.headers["popup-degraded"]) };
    const body = fieldsOf(raw);
    if (raw.status === 200 && typeof body["campaign_id"] === "number" && typeof body["impression_id"] === "string") {
      return { kind: "popup", campaign: body["campaign_id"], id: body["impression_id"] };
    }
    return { kind: "wrong", status: raw.status, text: raw.text };
  }

  async report(type: EventType, campaign: number, user: string, id: string): Promise<Answer> {
    const raw = await this.#send("POST", `/v1/campaigns/${campaign}/${type}`, JSON.stringify({ user_id: user, impression_id: id }), REPORT_PATIENCE_MS);
    if ("kind" in raw) return raw;
    const answer = raw.status === 202 ? acceptance(type, fieldsOf(raw)) : raw.status === 503 && raw.headers["retry-after"] !== undefined ? { kind: "busy" as const } : undefined;
    return answer ?? { kind: "wrong", status: raw.status, text: raw.text };
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body: string | undefined, patienceMs: number): Promise<Raw | Answer> {
    return new Promise((resolve) => {
      const headers = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const sending = request(this.url + path, { method, agent: this.#agent, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on("error", (error: NodeJS.ErrnoException) => done({ kind: "lost", error: error.code ?? error.message }));
      });
      const timer = setTimeout(() => {
        done({ kind: "unanswered" });
        sending.destroy();
      }, patienceMs);
      const done = (result: Raw | Answer): void => {
        clearTimeout(timer);
        resolve(result);
      };
      sending.on("error", (error: NodeJS.ErrnoException) => done({ kind: "lost", error: error.code ?? error.message }));
      sending.end(body);
    });
  }
}

function fieldsOf({ text }: Raw): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Whatever it is, it is none of the answers that are looked for: the caller reports its text.
    return {};
  }
}

/** What a 202 promises, or undefined for one of an unknown form. */
function acceptance(type: EventType, body: Record<string, unknown>): Answer | undefined {
  if (body["spooled"] === true && (type === "impression" ? body["counted"] === null : body["recorded"] === true)) return { kind: "spooled" };
  if (type !== "impression") return body["recorded"] === true ? { kind: "recorded" } : undefined;
  if (body["counted"] === true && typeof body["total"] === "number") return { kind: "counted", total: body["total"] };
  if (body["counted"] === false && (body["reason"] === "duplicate" || body["reason"] === "capped")) return { kind: body["reason"] };
  return undefined;
}
