/** Answers that a web app of another origin may read: https://fetch.spec.whatwg.org/#http-cors-protocol */
import type { HttpRequest, HttpResponse } from "uWebSockets.js";

/** What is said of the origin that asks. */
export interface Grant {
  /** Who may read the answer; null for nobody but the engine's own pages. */
  readonly origin: string | null;
  /** Whether another origin would be told something else, which a cache has to know. */
  readonly varies: boolean;
}

/** What a script may read beside the headers that it always may. */
const EXPOSED = "popup-degraded, retry-after, www-authenticate";
/** For how long a browser may go without asking beforehand again, s. */
const PREFLIGHT_AGE_S = "3600";

/**
 * @param origins exact ones, or `*` for all
 * @returns what a request is granted, or undefined when no origin is; then no header is written and none is read
 */
export function grantsOf(origins: readonly string[]): ((req: HttpRequest) => Grant) | undefined {
  if (origins.length === 0) return undefined;
  const everyone: Grant = { origin: "*", varies: false };
  if (origins.includes("*")) return () => everyone;
  const nobody: Grant = { origin: null, varies: true };
  const grants = new Map(origins.map((origin): [string, Grant] => [origin, { origin, varies: true }]));
  return (req) => grants.get(req.getHeader("origin")) ?? nobody;
}

/** Within `cork`, after the status. No credentials are allowed: the engine knows no cookies, and a token is a header like others. */
export function writeGrant(res: HttpResponse, { origin, varies }: Grant): void {
  if (origin !== null) res.writeHeader("access-control-allow-origin", origin).writeHeader("access-control-expose-headers", EXPOSED);
  if (varies) res.writeHeader("vary", "origin");
}

/** Whether a browser asks here if it may send the real request. It sends no credentials with this. */
export function isPreflight(req: HttpRequest, grant: Grant | undefined): grant is Grant {
  return req.getMethod() === "options" && grant !== undefined && grant.origin !== null && req.getHeader("access-control-request-method") !== "";
}

/** @param methods that the path takes */
export function sendPreflight(res: HttpResponse, grant: Grant, methods: string): void {
  res.cork(() => {
    res.writeStatus("204 No Content").writeHeader("cache-control", "no-store");
    writeGrant(res, grant);
    res
      .writeHeader("access-control-allow-methods", methods)
      .writeHeader("access-control-allow-headers", "authorization, content-type")
      .writeHeader("access-control-max-age", PREFLIGHT_AGE_S);
    res.endWithoutBody();
  });
}
