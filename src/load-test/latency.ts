/** HDR histograms of latencies: microseconds inside, milliseconds outside. */
import * as hdr from "hdr-histogram-js";

/** Latencies in µs to 3 significant digits. */
export type Latency = hdr.Histogram;

/** @param digits significant digits; 2 are enough for one second of a chart, and a tenth of the size */
export function newLatency(digits: 2 | 3 = 3): Latency {
  return hdr.build({
    bitBucketSize: 32,
    autoResize: true,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: digits,
  });
}

export function recordMs(latency: Latency, ms: number): void {
  latency.recordValue(Math.max(0, Math.round(ms * 1_000)));
}

/** The latency, in ms, that `percentile` percent of the requests did not exceed; null when there was none. */
export function percentileMs(latency: Latency, percentile: number): number | null {
  return latency.totalCount === 0 ? null : latency.getValueAtPercentile(percentile) / 1_000;
}

export function sumOf(parts: readonly Latency[], digits: 2 | 3 = 3): Latency {
  const sum = newLatency(digits);
  for (const part of parts) sum.add(part);
  return sum;
}

/** For another process, which reads it with {@link unpackLatency}. */
export function packLatency(latency: Latency): string {
  return hdr.encodeIntoCompressedBase64(latency);
}

export function unpackLatency(packed: string): Latency {
  return hdr.decodeFromCompressedBase64(packed);
}

/** A point of the distribution: `nines` is 1 for 90 %, 2 for 99 %, 3 for 99.9 % of the requests. */
export interface CurvePoint {
  readonly nines: number;
  readonly ms: number;
}

const STEP = 0.02;

/** The distribution from the quickest to the slowest request, at even distances of log10(1 / (1 - share)). */
export function curveOf(latency: Latency): CurvePoint[] {
  if (latency.totalCount === 0) return [];
  const end = Math.log10(latency.totalCount);
  const points: CurvePoint[] = [];
  for (let nines = 0; nines < end; nines += STEP) points.push({ nines, ms: latency.getValueAtPercentile(100 * (1 - 10 ** -nines)) / 1_000 });
  points.push({ nines: end, ms: latency.maxValue / 1_000 });
  return points;
}
