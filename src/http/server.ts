/** The HTTP server: routes, and nothing that decides. */
import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import type { Gate } from "../auth/gate.js";
import type { Report } from "../engine/answers.js";
import type { Engine, Unready } from "../engine/engine.js";
import { HTTP_STATUS, PopupError } from "../errors.js";
import { EVENT_TYPES, type EventType } from "../event.js";
import { type Explanation, explanationToJson } from "../explanation.js";
import { unpartitionedCluster } from "../partition.js";
import { admission } from "./admission.js";
import { grantsOf, isPreflight, sendPreflight } from "./cors.js";
import { demoFiles, sendFile } from "./demo-page.js";
import { isAmbiguous } from "./framing.js";
import { Listener } from "./listener.js";
import type { HttpMetrics } from "./metrics.js";
import { type Exchange, sendJson, sendNothing, sendProblem } from "./replies.js";
import { readBody, readPopupQuery, readReport } from "./request.js";
import { loadUws } from "./uws.js";

export interface HttpOptions {
  /** Says who asks; without one everyone may. */
  readonly gate?: Gate | undefined;
  /** Whose pages may read the answers, beside the engine's own: exact origins, or `*`. */
  readonly corsOrigins?: readonly string[];
  /** Whether `GET /demo` shows the demo page. */
  readonly demo?: boolean;
}

/** @param onFault told of an error that is the engine's own fault; its client gets a 500 or 204 */
export function createHttpServer(
  engine: Engine,
  metrics: HttpMetrics,
  onFault: (error: unknown) => void,
  { gate, corsOrigins = [], demo = false }: HttpOptions = {},
): Listener {
  const grantOf = grantsOf(corsOrigins);
  const app = loadUws().App();
  const listener = new Listener(app);
  const { parting } = listener;

  /** Runs a part of an exchange: a throw out of a handler would end the process, and one out of an answer would keep others from theirs. */
  const guarded =
    <T extends unknown[]>(exchange: Exchange, work: (...args: T) => void) =>
    (...args: T): void => {
      try {
        work(...args);
      } catch (error) {
        refuse(exchange, error);
      }
    };
  const route =
    (handle: (req: HttpRequest, exchange: Exchange) => void, anyMethod = false) =>
    (res: HttpResponse, req: HttpRequest): void => {
      if (isAmbiguous(req)) {
        metrics.refused(HTTP_STATUS.invalid);
        res.close();
        return;
      }
      const exchange: Exchange = { res, head: anyMethod && req.getMethod() === "head", grant: grantOf?.(req), closed: false, parting };
      listener.came();
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
    listener.left();
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

  const decide = (exchange: Exchange, query: string, started: number, check?: (userId: string) => void): void => {
    const { userId, sessionId } = readPopupQuery(query);
    check?.(userId);
    engine.decide(
      userId,
      sessionId,
      guarded(exchange, (decision) => {
        metrics.decided(decision.kind === "degraded" ? decision.cause : decision.kind, (performance.now() - started) / 1000);
        if (decision.kind === "show") sendJson(exchange, 200, decision.json);
        else sendNothing(exchange, decision.kind === "degraded" ? decision.cause : undefined);
        done(exchange);
      }),
    );
  };

  const take = (exchange: Exchange, parsed: Report): void => {
    engine.report(
      parsed,
      guarded(exchange, (receipt) => {
        metrics.reported(parsed.type, receipt.kind === "degraded" ? receipt.cause : receipt.kind);
        if (receipt.kind === "unknown") {
          refuse(
            exchange,
            new PopupError("not_found", `campaign ${parsed.campaignId} takes no reports`, {
              hint: "it never was published, or ended more than 7 days ago",
              field: "campaign id",
            }),
          );
        } else if (receipt.kind === "degraded") {
          refuse(
            exchange,
            new PopupError("unavailable", `the report was not confirmed: ${receipt.cause}`, { hint: "send it again with the same impression_id" }),
          );
        } else if (receipt.kind === "failed") {
          refuse(exchange, new PopupError("internal", "the report could not be taken: what is known of the user is damaged"));
        } else {
          sendJson(exchange, 202, receiptJson(parsed.type, receipt));
          done(exchange);
        }
      }),
    );
  };

  let popup = route((req, exchange) => decide(exchange, req.getQuery() ?? "", performance.now()));
  let report = (type: EventType) =>
    route((req, exchange) => {
      const campaign = req.getParameter(0);
      readBody(
        req,
        exchange.res,
        guarded(exchange, (body) => {
          if (body instanceof PopupError) throw body;
          take(exchange, readReport(type, campaign, body));
        }),
      );
    });
  if (gate) {
    const { admit, authorization } = admission(guarded, refuse);
    popup = route((req, exchange) => {
      const started = performance.now();
      const query = req.getQuery() ?? "";
      admit(
        exchange,
        gate.check(authorization(req)),
        (check) => {
          // Who has left meanwhile is not shown anything, so nothing is to be counted.
          if (!exchange.closed) decide(exchange, query, started, check);
        },
        () => {
          const cause = engine.trouble ?? "unpublished";
          metrics.decided(cause, (performance.now() - started) / 1000);
          finish(exchange, () => sendNothing(exchange, cause));
        },
      );
    });
    report = (type) =>
      route((req, exchange) => {
        const campaign = req.getParameter(0);
        const verdict = gate.check(authorization(req));
        readBody(
          req,
          exchange.res,
          guarded(exchange, (body) => {
            // The body is there for as long as this runs, the verdict perhaps later; who may not ask is not told what is wrong with it.
            const parsed = body instanceof PopupError ? body : attempt(() => readReport(type, campaign, body));
            admit(
              exchange,
              verdict,
              (check) => {
                if (parsed instanceof PopupError) throw parsed;
                check(parsed.userId);
                take(exchange, parsed);
              },
              () => {
                metrics.reported(type, engine.trouble ?? "unpublished");
                refuse(exchange, new PopupError("unavailable", "the API keys are not known yet", { hint: "send it again with the same impression_id" }));
              },
            );
          }),
        );
      });
  }

  const ready = route((_req, exchange) => {
    const { unready } = engine;
    if (parting.yes) refuse(exchange, new PopupError("unavailable", "this process is about to end", { hint: "ask another" }));
    else if (unready === undefined)
      finish(exchange, () =>
        sendJson(exchange, 200, JSON.stringify({ ready: true, version: engine.version, ...(engine.recovering ? { recovering: true } : {}) })),
      );
    else {
      refuse(exchange, whyUnready(unready));
    }
  });
  const wrongMethod = (allow: string) =>
    route((req, exchange) => {
      const { res, grant } = exchange;
      if (isPreflight(req, grant)) finish(exchange, () => sendPreflight(res, grant, allow));
      else refuse(exchange, new PopupError("method_not_allowed", "this path does not take this method", { hint: `use ${allow}` }), allow);
    }, true);

  app.get("/v1/campaigns/popup", popup).any("/v1/campaigns/popup", wrongMethod("GET"));
  for (const type of EVENT_TYPES) app.post(`/v1/campaigns/:id/${type}`, report(type)).any(`/v1/campaigns/:id/${type}`, wrongMethod("POST"));
  app
    .get(
      "/healthz",
      route((_req, exchange) => finish(exchange, () => sendJson(exchange, 200, '{"ok":true}'))),
    )
    .any("/healthz", wrongMethod("GET"));
  app.get("/readyz", ready).any("/readyz", wrongMethod("GET"));
  if (demo) {
    const explain = route((req, exchange) => {
      const { userId, sessionId } = readPopupQuery(req.getQuery() ?? "");
      const answer = guarded(exchange, (explanation: Explanation) =>
        finish(exchange, () => sendJson(exchange, 200, JSON.stringify(explanationToJson(explanation)))),
      );
      engine.explain(userId, sessionId).then(answer, (error: unknown) => refuse(exchange, error));
    });
    app.get("/demo/explain", explain).any("/demo/explain", wrongMethod("GET"));
  }
  for (const file of demo ? demoFiles() : [])
    app
      .get(
        file.path,
        route((_req, exchange) => finish(exchange, () => sendFile(exchange, file))),
      )
      .any(file.path, wrongMethod("GET"));
  app.any(
    "/*",
    route((_req, exchange) => refuse(exchange, new PopupError("not_found", "there is nothing at this path", { hint: "see docs/http.md" })), true),
  );

  return listener;
}

function whyUnready({ cause, partition, unpartitioned }: Unready): PopupError {
  if (unpartitioned) return unpartitionedCluster("unavailable");
  const of = partition === null ? "" : ` in partition ${partition}`;
  if (cause === "unpublished") return new PopupError("unavailable", `nothing is published yet${of}`, { hint: "run popup sync" });
  if (cause === "recovering")
    return new PopupError("unavailable", "users are being moved to other partitions", { hint: "popup repartition does it, and goes on where it was stopped" });
  return new PopupError("unavailable", `Redis is away${of}`, { hint: "see popup doctor" });
}

/** The PopupError that the work throws, if it throws one, is its result. */
function attempt<T>(work: () => T): T | PopupError {
  try {
    return work();
  } catch (error) {
    if (error instanceof PopupError) return error;
    throw error;
  }
}

function receiptJson(type: EventType, receipt: { kind: "counted"; total: number } | { kind: "duplicate" | "capped" | "recorded" | "spooled" }): string {
  if (receipt.kind === "spooled") return type === "impression" ? '{"counted":null,"spooled":true}' : '{"recorded":true,"spooled":true}';
  if (receipt.kind === "counted") return `{"counted":true,"total":${receipt.total}}`;
  return receipt.kind === "recorded" ? '{"recorded":true}' : `{"counted":false,"reason":"${receipt.kind}"}`;
}
