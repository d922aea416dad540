/**
 * Time zones and calendar windows. Everything is in epoch milliseconds; `now` always comes from
 * the caller (DESIGN §10), so that tests and `--at` can set it.
 */
import { DateTime, IANAZone } from "luxon";
import { invalid } from "./errors.js";
import { didYouMean } from "./suggest.js";

export type Clock = () => number;

/** A decision's clock: now and the starts of the calendar windows that contain it, in epoch ms. */
export interface Windows {
  readonly now: number;
  readonly day: number;
  readonly week: number;
  readonly month: number;
}

const TIME_HINT = "write ISO 8601: 2026-12-01T09:00:00+07:00, or a local time 2026-12-01T09:00 in the setting timezone";
/** Times are packed in 48 bits for the scripts; the year 9999 fits. */
const MAX_TIME_MS = Date.UTC(9999, 11, 31);

/** @throws PopupError `invalid` unless the name is an IANA time zone this Node knows */
export function parseTimezone(name: string): string {
  if (!IANAZone.isValidZone(name)) {
    throw invalid(
      "timezone",
      `"${name}" is not a time zone`,
      `${didYouMean(name, Intl.supportedValuesOf("timeZone"))}use an IANA name such as Asia/Jakarta or Europe/Berlin`,
    );
  }
  return name;
}

/**
 * Epoch ms of an ISO 8601 time; one without an offset is local to `timezone`.
 * @throws PopupError `invalid`, naming `field`
 */
export function parseTime(text: string, timezone: string, field: string): number {
  const time = DateTime.fromISO(text.trim(), { zone: timezone });
  const ms = time.toMillis();
  // A time of day alone would be taken for today's, by a clock that nobody passed in.
  if (!time.isValid || !/^\d{4}/.test(text.trim())) throw invalid(field, `"${text}" is not a time`, TIME_HINT);
  if (ms < 0 || ms > MAX_TIME_MS) throw invalid(field, `"${text}" is outside 1970 to 9999`, TIME_HINT);
  return ms;
}

/** ISO 8601 with the zone's offset at that time. */
export function formatTime(ms: number, timezone: string): string {
  return DateTime.fromMillis(ms, { zone: timezone }).toISO({ suppressMilliseconds: true }) ?? String(ms);
}

/** For people, beside the zone's name: `2026-12-01 09:00:00`. */
export function formatLocal(ms: number, timezone: string): string {
  return DateTime.fromMillis(ms, { zone: timezone }).toFormat("yyyy-MM-dd HH:mm:ss");
}

/** The same without a time of day, or seconds, that are zero: `2026-12-01`, `2026-12-01 09:00`. */
export function formatBrief(ms: number, timezone: string): string {
  return formatLocal(ms, timezone)
    .replace(/:00$/, "")
    .replace(/ 00:00$/, "");
}

/** The local calendar day, `2026-11-23`. */
export function formatDay(ms: number, timezone: string): string {
  return DateTime.fromMillis(ms, { zone: timezone }).toISODate() ?? String(ms);
}

/** The local calendar day that holds a time: its start, and that of the next. */
export function dayAround(ms: number, timezone: string): { readonly start: number; readonly end: number } {
  const start = DateTime.fromMillis(ms, { zone: timezone }).startOf("day");
  return { start: firstInstant(start), end: firstInstant(start.plus({ days: 1 }).startOf("day")) };
}

/** The start of the local hour that holds a time. An hour that the clock goes through twice is two hours. */
export function hourStart(ms: number, timezone: string): number {
  // Within an hour of a zone's clock its offset does not change, but for Lord Howe's half hour, which makes hours of 30 and 90 minutes.
  return DateTime.fromMillis(ms, { zone: timezone }).startOf("hour").toMillis();
}

/** The calendar windows around `now`: the day, the week from Monday, the month. */
export function windowsAt(now: number, timezone: string): Windows {
  const local = DateTime.fromMillis(now, { zone: timezone });
  return {
    now,
    day: firstInstant(local.startOf("day")),
    week: firstInstant(local.startOf("week")),
    month: firstInstant(local.startOf("month")),
  };
}

/**
 * The windows of the times after `at` at which a day, a week or a month begins, ascending: of each unit all until one lies
 * behind `until`.
 */
export function windowsAfter(at: number, until: number, timezone: string): Windows[] {
  const begins = new Set<number>();
  for (const unit of ["day", "week", "month"] as const) {
    let start = DateTime.fromMillis(at, { zone: timezone }).startOf(unit);
    let begin: number;
    do {
      // A day may begin at another hour than the one before it.
      start = start.plus({ [unit]: 1 }).startOf(unit);
      begin = firstInstant(start);
      begins.add(begin);
    } while (begin <= until);
  }
  return [...begins].sort((a, b) => a - b).map((begin) => windowsAt(begin, timezone));
}

/**
 * Where clocks go back over midnight (Havana), 00:00 comes twice and a date library may give either;
 * a window begins at the first. Clocks go back by an hour at most in every zone in use.
 */
function firstInstant(start: DateTime): number {
  const earlier = start.minus({ hours: 1 });
  // Dates are compared as text: hasSame takes the first of two midnights for the day before.
  return (earlier.toISODate() === start.toISODate() ? earlier : start).toMillis();
}

/**
 * `windowsAt` for a stream of decisions: the calendar part is computed once and reused until the
 * next quarter of an hour, since every zone in use has its midnights and changes on one.
 */
export function windowsReader(timezone: string): (now: number) => Windows {
  const STEP_MS = 900_000;
  let slot = Number.NaN;
  let cached: Windows = { now: 0, day: 0, week: 0, month: 0 };
  return (now) => {
    const current = Math.floor(now / STEP_MS);
    if (current !== slot) {
      cached = windowsAt(now, timezone);
      slot = current;
    }
    return { now, day: cached.day, week: cached.week, month: cached.month };
  };
}
