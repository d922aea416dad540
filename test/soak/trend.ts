/** Whether a series stays where it is: medians of its second and last fifth, and the slope of a line through both and all between. */

export interface Point {
  readonly s: number;
  readonly value: number;
}

export interface Trend {
  /** Medians. The first fifth is left out: there everything is still filling up. */
  readonly second: number;
  readonly last: number;
  /** Of the least-squares line from the second fifth on, per hour; and its standard error. */
  readonly slopePerHour: number;
  readonly slopeError: number;
}

/** @throws RangeError for fewer than 15 points, which say nothing */
export function trendOf(points: readonly Point[]): Trend {
  if (points.length < 15) throw new RangeError(`a trend of ${points.length} points`);
  const fifth = (n: number): number[] => points.slice(Math.floor((points.length * n) / 5), Math.floor((points.length * (n + 1)) / 5)).map(({ value }) => value);
  const { slope, error } = lineThrough(points.slice(Math.floor(points.length / 5)));
  return { second: median(fifth(1)), last: median(fifth(4)), slopePerHour: slope * 3_600, slopeError: error * 3_600 };
}

/** Least squares; the standard error of the slope is sqrt(residuals / (n - 2) / spread of s). */
export function lineThrough(points: readonly Point[]): { readonly slope: number; readonly error: number } {
  const n = points.length;
  const meanS = points.reduce((sum, { s }) => sum + s, 0) / n;
  const meanValue = points.reduce((sum, { value }) => sum + value, 0) / n;
  const spread = points.reduce((sum, { s }) => sum + (s - meanS) ** 2, 0);
  const slope = points.reduce((sum, { s, value }) => sum + (s - meanS) * (value - meanValue), 0) / spread;
  const residuals = points.reduce((sum, { s, value }) => sum + (value - meanValue - slope * (s - meanS)) ** 2, 0);
  return { slope, error: Math.sqrt(residuals / (n - 2) / spread) };
}

/**
 * True when the last fifth is not above the second by more than the share, or by more than `least`, whichever allows more; or when
 * the line does not rise by more than twice its standard error: what goes up and down by itself, as a memory of the last minute
 * does that is trimmed now and then, has medians that differ.
 */
export function isFlat({ second, last, slopePerHour, slopeError }: Trend, share: number, least: number): boolean {
  return last - second <= Math.max(second * share, least) || slopePerHour <= 2 * slopeError;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.floor(sorted.length / 2)] ?? 0)) / 2;
}
