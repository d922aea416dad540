/** The engine that is to bear the load: is it there, is it an engine, is it on this machine? */
import { PopupError, reasonOf } from "../errors.js";

const ANSWER_MS = 5_000;

/** True for this machine's own addresses. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** @throws PopupError `unavailable` when no engine answers there, or one that is not ready */
export async function checkTarget(url: string): Promise<void> {
  const base = url.replace(/\/$/, "");
  const health = await ask(`${base}/healthz`);
  if (health.status !== 200 || health.body.ok !== true) {
    throw new PopupError("unavailable", `what answers at ${url} is no Popup Engine: GET /healthz gave ${health.status}`, {
      hint: "name the engine's address with --url, or use --self for one of its own",
    });
  }
  const ready = await ask(`${base}/readyz`);
  if (ready.status !== 200) {
    throw new PopupError("unavailable", `the engine at ${url} is not ready: ${String(ready.body.detail ?? ready.status)}`, {
      hint: "a load test of it would measure 204s only; mend that first, or use --self",
    });
  }
}

async function ask(url: string): Promise<{ status: number; body: Record<string, unknown> }> {
  let answer: Response;
  try {
    answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = (cause as NodeJS.ErrnoException).code;
    const { origin } = new URL(url);
    throw new PopupError("unavailable", code === "ECONNREFUSED" ? `nothing listens at ${origin}` : `${origin} does not answer: ${code ?? reasonOf(cause)}`, {
      hint: "start an engine with popup serve, name another with --url, or add --self for one of its own",
      cause: error,
    });
  }
  const body: unknown = await answer.json().catch(() => undefined);
  return { status: answer.status, body: typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {} };
}
