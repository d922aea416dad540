/** What the customers remember: every request with its answer and both times, a JSON line each. The verdict is made of these. */
import { readFileSync } from "node:fs";
import type { EventType } from "../../dist/event.js";

/** What became of a request, in the client's words. */
export type Answer =
  | { readonly kind: "popup"; readonly campaign: number; readonly id: string }
  /** 204. @property degraded the cause, where no decision was made */
  | { readonly kind: "none"; readonly degraded: string | null }
  | { readonly kind: "counted"; readonly total: number }
  | { readonly kind: "duplicate" | "capped" | "recorded" }
  /** Accepted while Redis is away: what it comes to is decided later. */
  | { readonly kind: "spooled" }
  /** 503 with retry-after: not accepted, or not known to be. */
  | { readonly kind: "busy" }
  /** The connection was refused or lost: nobody knows. */
  | { readonly kind: "lost" }
  /** Nothing at all in the client's patience. */
  | { readonly kind: "unanswered" }
  /** An answer that the engine must not give. */
  | { readonly kind: "wrong"; readonly status: number; readonly text: string };

interface Times {
  readonly user: string;
  /** Epoch ms by the client's clock, with fractions; it never goes back. */
  readonly sent: number;
  readonly answered: number;
  readonly answer: Answer;
}
export interface GetEntry extends Times {
  readonly kind: "get";
}
export interface ReportEntry extends Times {
  readonly kind: EventType;
  readonly campaign: number;
  readonly id: string;
}
export type Entry = GetEntry | ReportEntry;

/** True for an answer that promises that the report is kept. */
export function isAccepted({ kind }: Answer): boolean {
  return kind === "counted" || kind === "duplicate" || kind === "capped" || kind === "recorded" || kind === "spooled";
}

/** What names a report everywhere: it counts once however often it is sent. */
export function keyOf(user: string, type: EventType, id: string): string {
  return `${user} ${type} ${id}`;
}

/** @param path a file of JSON lines, as the client writes it */
export function readHistory(path: string): Entry[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Entry);
}
