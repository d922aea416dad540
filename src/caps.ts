/**
 * Frequency caps: `N/WINDOW`, "at most N impressions per user within WINDOW".
 * Types, parsing and what follows from a list of caps; the check itself is in `lua/lib/caps.lua`.
 */
import { invalid } from "./errors.js";

export type Cap =
  | { readonly limit: number; readonly window: "total" | "day" | "week" | "month" | "session" }
  | { readonly limit: number; readonly window: "rolling"; readonly durationMs: number };

const MAX_WINDOWED_LIMIT = 100;
const MAX_TOTAL_LIMIT = 1_000_000;
/** A rolling window reaches back at most a year: a longer one is what `total` is for. */
const MAX_ROLLING_MS = 366 * 86_400_000;
/** More caps than this on one campaign is a mistake, and each costs time in every decision. */
export const MAX_CAPS = 8;

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DAY_MS = UNIT_MS.d;
const FORM = /^([0-9]{1,9})\/(?:(total|day|week|month|session)|([0-9]{1,9})([smhd]))$/;
const HINT = "write N/WINDOW: 3/total, 1/day, 5/week, 10/month, 1/session, or a duration such as 1/30s, 2/15m, 1/6h, 3/7d";

/**
 * One cap from its text.
 * @param field the name to use in an error
 * @throws PopupError `invalid`
 */
export function parseCap(text: string, field = "caps"): Cap {
  const match = FORM.exec(text.trim());
  if (!match) throw invalid(field, `"${text}" is not a cap`, HINT);
  const limit = Number(match[1]);
  const most = match[2] === "total" ? MAX_TOTAL_LIMIT : MAX_WINDOWED_LIMIT;
  if (limit < 1 || limit > most) {
    throw invalid(field, `"${text}" allows ${limit}`, `N is 1 to ${most} ${most === MAX_TOTAL_LIMIT ? "for total" : "for a window"}`);
  }
  if (match[2]) return { limit, window: match[2] as "total" | "day" | "week" | "month" | "session" };
  const durationMs = Number(match[3]) * UNIT_MS[match[4] as keyof typeof UNIT_MS];
  if (durationMs < 1_000 || durationMs > MAX_ROLLING_MS) {
    throw invalid(field, `"${text}" has a window of ${match[3]}${match[4]}`, "a rolling window is 1s to 366d; for longer use total");
  }
  return { limit, window: "rolling", durationMs };
}

/**
 * A list of caps from its texts; all of them hold together.
 * @throws PopupError `invalid`
 */
export function parseCaps(texts: readonly string[], field = "caps"): Cap[] {
  if (texts.length > MAX_CAPS) throw invalid(field, `${texts.length} caps`, `at most ${MAX_CAPS}`);
  return texts.map((text) => parseCap(text, field));
}

/** The text of a cap in its shortest unit-true form: `1/6h`, not `1/21600s`. */
export function formatCap(cap: Cap): string {
  if (cap.window !== "rolling") return `${cap.limit}/${cap.window}`;
  const unit = (["d", "h", "m", "s"] as const).find((u) => cap.durationMs % UNIT_MS[u] === 0) ?? "s";
  return `${cap.limit}/${cap.durationMs / UNIT_MS[unit]}${unit}`;
}

/** How many latest show times a user's record must keep so that every windowed cap can be answered. */
export function timesToKeep(caps: readonly Cap[]): number {
  return Math.max(0, ...caps.filter((cap) => cap.window !== "total" && cap.window !== "session").map((cap) => cap.limit));
}

/** How long after a show the longest window among the caps can still contain it, in ms. A calendar day may have 25 hours. */
export function longestWindowMs(caps: readonly Cap[]): number {
  const lengths = caps.map((cap) => {
    switch (cap.window) {
      case "rolling":
        return cap.durationMs + 1_000;
      case "day":
        return DAY_MS + 2 * UNIT_MS.h;
      case "week":
        return 7 * DAY_MS + 2 * UNIT_MS.h;
      case "month":
        return 31 * DAY_MS + 2 * UNIT_MS.h;
      case "session":
        return DAY_MS;
      case "total":
        return 0;
    }
  });
  return Math.max(0, ...lengths);
}
