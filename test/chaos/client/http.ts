/** The app's side of HTTP: one request, one answer, and never an exception. */

import type { EventType } from "../../../dist/event.js";
import { Connection, getPopup, postReport, type Reply } from "../../../dist-bench/http-client.js";
import type { Answer } from "../history.js";

/** A GET that has no answer by then will not get one. */
const GET_PATIENCE_MS = 5_000;
const REPORT_PATIENCE_MS = 10_000;
/** Shorter than the server's own, so that a connection is not used while the server closes it. */
const IDLE_MS = 4_000;

interface Idle {
  readonly connection: Connection;
  readonly since: number;
}

export class AppClient {
  readonly #idle: Idle[] = [];

  /** @param url of the engine, without a path */
  constructor(private readonly url: string) {}

  async popup(user: string): Promise<Answer> {
    const reply = await this.#send(getPopup(user), GET_PATIENCE_MS);
    if (reply === undefined) return { kind: "unanswered" };
    if (reply.status === 204) return { kind: "none", degraded: headerOf(reply, "popup-degraded") ?? null };
    const body = fieldsOf(reply);
    if (reply.status === 200 && typeof body.campaign_id === "number" && typeof body.impression_id === "string") {
      return { kind: "popup", campaign: body.campaign_id, id: body.impression_id };
    }
    return unexpected(reply);
  }

  async report(type: EventType, campaign: number, user: string, id: string): Promise<Answer> {
    const reply = await this.#send(postReport(type, campaign, user, id), REPORT_PATIENCE_MS);
    if (reply === undefined) return { kind: "unanswered" };
    if (reply.status === 503 && headerOf(reply, "retry-after") !== undefined) return { kind: "busy" };
    return (reply.status === 202 ? acceptance(type, fieldsOf(reply)) : undefined) ?? unexpected(reply);
  }

  close(): void {
    for (const { connection } of this.#idle.splice(0)) connection.close();
  }

  /** Resolves with undefined when there is no answer in time. */
  #send(text: string, patienceMs: number): Promise<Reply | undefined> {
    const connection = this.#connection();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        // A process that did not run for a while looks first at what came meanwhile.
        setImmediate(() => {
          connection.close();
          resolve(undefined);
        });
      }, patienceMs);
      connection.send(text, (reply) => {
        clearTimeout(timer);
        if (reply.status !== 0) this.#idle.push({ connection, since: performance.now() });
        resolve(reply);
      });
    });
  }

  /** One that is free, the latest used first; or a new one. */
  #connection(): Connection {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (idle.connection.usable && performance.now() - idle.since < IDLE_MS) return idle.connection;
      idle.connection.close();
    }
    return new Connection(this.url);
  }
}

/** Nothing came, and the connection is gone; or something came that must not. */
function unexpected({ status, body }: Reply): Answer {
  return status === 0 ? { kind: "lost" } : { kind: "wrong", status, text: body };
}

function headerOf({ head }: Reply, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}: ([^\\r]*)`, "i").exec(head)?.[1];
}

function fieldsOf({ body }: Reply): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Whatever it is, it is none of the answers that are looked for: the caller reports its text.
    return {};
  }
}

/** What a 202 promises, or undefined for one of an unknown form. */
function acceptance(type: EventType, body: Record<string, unknown>): Answer | undefined {
  if (body.spooled === true && (type === "impression" ? body.counted === null : body.recorded === true)) return { kind: "spooled" };
  if (type !== "impression") return body.recorded === true ? { kind: "recorded" } : undefined;
  if (body.counted === true && typeof body.total === "number") return { kind: "counted", total: body.total };
  if (body.counted === false && (body.reason === "duplicate" || body.reason === "capped")) return { kind: body.reason };
  return undefined;
}
