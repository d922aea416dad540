/** Answers: every one is written inside `cork`, once, and not to a client that has gone. */
import type { HttpResponse } from "uWebSockets.js";
import { Denied } from "../auth/gate.js";
import type { Trouble } from "../engine/answers.js";
import { HTTP_STATUS, type PopupError } from "../errors.js";
import { type Grant, writeGrant } from "./cors.js";

const STATUS_TEXT: Record<number, string> = {
  200: "200 OK",
  202: "202 Accepted",
  204: "204 No Content",
  400: "400 Bad Request",
  401: "401 Unauthorized",
  403: "403 Forbidden",
  404: "404 Not Found",
  405: "405 Method Not Allowed",
  409: "409 Conflict",
  413: "413 Payload Too Large",
  500: "500 Internal Server Error",
  503: "503 Service Unavailable",
};

/** Whether the server lets its connections go: every answer is the last on its own then. */
export interface Parting {
  yes: boolean;
}

/**
 * A response, whether it was asked for with HEAD, what the origin that asks is granted where there is anything to say of it, and
 * whether it is over: answered, or its client has gone.
 */
export interface Exchange {
  readonly res: HttpResponse;
  readonly parting: Parting;
  readonly head: boolean;
  readonly grant: Grant | undefined;
  closed: boolean;
}

export function sendJson({ res, grant, closed, parting }: Exchange, status: number, json: string): void {
  if (closed) return;
  res.cork(() => {
    // 200 is what uWebSockets writes by itself.
    if (status !== 200) res.writeStatus(STATUS_TEXT[status] ?? String(status));
    if (grant !== undefined) writeGrant(res, grant);
    res.writeHeader("content-type", "application/json; charset=utf-8").writeHeader("cache-control", "no-store").end(json, parting.yes);
  });
}

/** @param cause why there is no decision, where the reason is not that there is no campaign */
export function sendNothing({ res, grant, closed, parting }: Exchange, cause?: Trouble): void {
  if (closed) return;
  res.cork(() => {
    res.writeStatus("204 No Content").writeHeader("cache-control", "no-store");
    if (grant !== undefined) writeGrant(res, grant);
    if (cause !== undefined) res.writeHeader("popup-degraded", cause);
    endEmpty(res, parting);
  });
}

/** RFC 9457. @param allow the methods of the path, for 405 */
export function sendProblem({ res, head, grant, closed, parting }: Exchange, error: PopupError, allow?: string): void {
  if (closed) return;
  const status = HTTP_STATUS[error.code];
  const title = (STATUS_TEXT[status] ?? "").slice(4);
  const detail = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  const problem = { type: "about:blank", title, status, detail, ...(error.field === undefined ? {} : { field: error.field }) };
  res.cork(() => {
    res.writeStatus(STATUS_TEXT[status] ?? String(status));
    res.writeHeader("content-type", "application/problem+json").writeHeader("cache-control", "no-store");
    if (grant !== undefined) writeGrant(res, grant);
    if (allow !== undefined) res.writeHeader("allow", allow);
    if (error instanceof Denied) res.writeHeader("www-authenticate", error.challenge);
    if (status === 503) res.writeHeader("retry-after", "1");
    const json = JSON.stringify(problem);
    // A body after HEAD would be read as the beginning of the next answer on the connection.
    if (head) endEmpty(res, parting);
    // What is left of a body that was too long is not read: the connection ends here.
    else res.end(json, status === 413 || parting.yes);
  });
}

/** The length is left out: given one, this uWebSockets waits for the body, and `undefined` is one to it. So the client is told to close, and does. */
function endEmpty(res: HttpResponse, parting: Parting): void {
  if (parting.yes) res.writeHeader("connection", "close");
  res.endWithoutBody();
}
