/** Figures along time with the empty days or hours between them, as charts and sparklines show them. */
import { formatTime } from "../time.js";
import type { Unit } from "./calendar.js";
import { type CampaignReport, type Period, periodsOf } from "./report.js";

const STEP_MS: Record<Unit, number> = { day: 86_400_000, hour: 3_600_000 };

/** A stretch of days or hours in which something happened to any of the campaigns. */
export interface Stretch {
  readonly unit: Unit;
  /** Names of the first and the last, as in the report. */
  readonly first: string;
  readonly last: string;
  /** How many they are, the empty ones too. */
  readonly length: number;
}

export const nameOf = (period: Period): string => period.day ?? period.hour ?? "";

/** Null where nothing happened at all. */
export function stretchOf(reports: readonly CampaignReport[], unit: Unit): Stretch | null {
  const all = reports.flatMap((report) => periodsOf(report));
  const [one] = all;
  if (!one) return null;
  const [first, last] = all.reduce(
    ([least, most], period) => [startOf(period) < startOf(least) ? period : least, startOf(period) > startOf(most) ? period : most],
    [one, one],
  );
  return { unit, first: nameOf(first), last: nameOf(last), length: placeOf(last, nameOf(first), unit) + 1 };
}

/** A figure of each day or hour of the stretch; 0 where there is none. */
export function valuesOf(report: CampaignReport, { unit, first, length }: Stretch, figure: (period: Period) => number): number[] {
  const values = new Array<number>(length).fill(0);
  for (const period of periodsOf(report)) {
    const place = placeOf(period, first, unit);
    values[place] = (values[place] ?? 0) + figure(period);
  }
  return values;
}

/** The name of a day or an hour of the stretch by its place, as in the report. */
export function nameAt({ unit, first }: Stretch, place: number, timezone: string): string {
  const at = Date.parse(first) + place * STEP_MS[unit];
  return unit === "day" ? new Date(at).toISOString().slice(0, 10) : formatTime(at, timezone);
}

/** Neighbours added up, so that there are no more than `most`. @returns how many make one */
export function grouped(values: readonly number[], most: number): { readonly values: number[]; readonly size: number } {
  const size = Math.max(1, Math.ceil(values.length / most));
  return {
    size,
    values: Array.from({ length: Math.ceil(values.length / size) }, (_, n) => values.slice(n * size, (n + 1) * size).reduce((sum, value) => sum + value, 0)),
  };
}

/** Epoch ms; of a day, its date's midnight in UTC, so that days are evenly far apart. */
const startOf = (period: Period): number => Date.parse(nameOf(period));

function placeOf(period: Period, first: string, unit: Unit): number {
  return Math.floor((startOf(period) - Date.parse(first)) / STEP_MS[unit]);
}
