/** The HTTP server: routes, and nothing that decides. */
import type { HttpRequest, HttpResponse, us_listen_socket } from "uWebSockets.js";
import type { Engine } from "../engine/engine.js";
import { HTTP_STATUS, PopupError } from "../errors.js";
import { EVENT_TYPES, type EventType } from "../event.js";
import type { HttpMetrics } from "./metrics.js";
import { readBody, readPopupQuery, readReport } from "./request.js";
import { sendJson, sendNothing, sendProblem, type Exchange } from "./replies.js";
import { loadUws } from "./uws.js";

export interface HttpServer {
  /** Listens, sharing the port with other processes of the engine. @throws PopupError `unavailable` when the port cannot be had */
  listen(host: string, port: number): Promise<void>;
  /** Takes no new connection, answers what was asked (for at most `graceMs`), and returns. */
  close(graceMs?: number): Promise<void>;
}

/** @param onFault told of an error that is the engine's own fault; its client gets a 500 or 204 */
export function createHttpServer(engine: Engine, metrics: HttpMetrics, onFault: (error: unknown) => void): HttpServer {
  const uws = loadUws();
  const app = uws.App();
  let open = 0;
  let socket: us_listen_socket | undefined;

  /** Runs a part of an exchange: a throw out of a handler would end the process, and one out of an answer would keep others from theirs. */
  const guarded = <T extends unknown[]>(exchange: Exchange, work: (...args: T) => void) => (...args: T): void => {
    try {
      work(...args);
    } catch (error) {
      refuse(exchange, error);
    }
  };
  const route = (handle: (req: HttpRequest, exchange: Exchange) => void, anyMethod = false) => (res: HttpResponse, req: HttpRequest): void => {
    const exchange: Exchange = { res, head: anyMethod && req.getMethod() === "head", closed: false };
    open++;
    res.onAborted(() => done(exchange));
    try {
      handle(req, exchange);
    } catch (error) {
      refuse(exchange, error);
    }
  };
  /** The exchange is over: it was answered, or its client has gone. */
  const done = (exchange: Exchange): void => {
    if (exchange.closed) return;
    exchange.closed = true;
    open--;
  };
  const finish = (exchange: Exchange, answer: () => void): void => {
    answer();
    done(exchange);
  };
  const refuse = (exchange: Exchange, error: unknown, allow?: string): void => {
    const known = error instanceof PopupError ? error : new PopupError("internal", "the engine failed to answer");
    if (!(error instanceof PopupError)) onFault(error);
    metrics.refused(HTTP_STATUS[known.code]);
    finish(exchange, () => sendProblem(exchange, known, allow));
  };

  const popup = route((req, exchange) => {
    const started = performance.now();
    const { userId, sessionId } = readPopupQuery(req.getQuery() ?? "");
    engine.decide(userId, sessionId, guarded(exchange, (decision) => {
      metrics.decided(decision.kind === "degraded" ? decision.cause : decision.kind, (performance.now() - started) / 1000);
      if (decision.kind === "show") sendJson(exchange, 200, decision.json);
      else sendNothing(exchange, decision.kind === "degraded" ? decision.cause : undefined);
      done(exchange);
    }));
  });

  const report = (type: EventType) => route((req, exchange) => {
    const campaign = req.getParameter(0);
    readBody(req, exchange.res, guarded(exchange, (body) => {
      if (body instanceof PopupError) throw body;
      const parsed = readReport(type, campaign, body);
      engine.report(parsed, guarded(exchange, (receipt) => {
        metrics.reported(type, receipt.kind === "degraded" ? receipt.cause : receipt.kind);
        if (receipt.kind === "unknown") {
          refuse(exchange, new PopupError("not_found", `campaign ${parsed.campaignId} takes no reports`, { hint: "it never was published, or ended more than 7 days ago", field: "campaign id" }));
        } else if (receipt.kind === "degraded") {
          refuse(exchange, new PopupError("unavailable", `the report was not confirmed: ${receipt.cause}`, { hint: "send it again with the same impression_id" }));
        } else if (receipt.kind === "failed") {
          refuse(exchange, new PopupError("internal", "the report could not be taken: what is known of the user is damaged"));
        } else {
          sendJson(exchange, 202, receiptJson(type, receipt));
          done(exchange);
        }
      }));
    }));
  });

  const ready = route((_req, exchange) => {
    const trouble = engine.trouble;
    if (trouble === undefined) finish(exchange, () => sendJson(exchange, 200, JSON.stringify({ ready: true, version: engine.version, ...(engine.recovering ? { recovering: true } : {}) })));
    else {
      const reason = trouble === "unpublished" ? "nothing is published yet" : "Redis is away";
      refuse(exchange, new PopupError("unavailable", reason, { hint: trouble === "unpublished" ? "run popup sync" : "see popup doctor" }));
    }
  });
  const wrongMethod = (allow: string) => route((_req, exchange) => {
    refuse(exchange, new PopupError("method_not_allowed", "this path does not take this method", { hint: `use ${allow}` }), allow);
  }, true);

  app.get("/v1/campaigns/popup", popup).any("/v1/campaigns/popup", wrongMethod("GET"));
  for (const type of EVENT_TYPES) app.post(`/v1/campaigns/:id/${type}`, report(type)).any(`/v1/campaigns/:id/${type}`, wrongMethod("POST"));
  app.get("/healthz", route((_req, exchange) => finish(exchange, () => sendJson(exchange, 200, '{"ok":true}')))).any("/healthz", wrongMethod("GET"));
  app.get("/readyz", ready).any("/readyz", wrongMethod("GET"));
  app.any("/*", route((_req, exchange) => refuse(exchange, new PopupError("not_found", "there is nothing at this path", { hint: "see docs/http.md" })), true));

  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        app.listen(host, port, (token) => {
          if (token) {
            socket = token;
            resolve();
          } else reject(new PopupError("unavailable", `${host}:${port} cannot be listened on`, { hint: "another process has it, or it needs more rights; choose another with --port" }));
        });
      }),
    close: async (graceMs = 5_000) => {
      if (socket) uws.us_listen_socket_close(socket);
      const deadline = Date.now() + graceMs;
      // Idle connections stay with the client; they end with the process or with their time-out.
      while (open > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}

function receiptJson(type: EventType, receipt: { kind: "counted"; total: number } | { kind: "duplicate" | "capped" | "recorded" | "spooled" }): string {
  if (receipt.kind === "spooled") return type === "impression" ? '{"counted":null,"spooled":true}' : '{"recorded":true,"spooled":true}';
  if (receipt.kind === "counted") return `{"counted":true,"total":${receipt.total}}`;
  return receipt.kind === "recorded" ? '{"recorded":true}' : `{"counted":false,"reason":"${receipt.kind}"}`;
}
