/** Medians and ratios of runs. */

/** The middle value, or the mean of the two middle ones. @throws RangeError for no values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length / 2)];
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  if (high === undefined || low === undefined) throw new RangeError("the median of nothing");
  return (low + high) / 2;
}

/** What several pairs of runs say about one ratio. */
export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Tested over base, pair by pair: what the machine does to both runs of a pair cancels out.
 * @param pairs [base, tested], of any one unit
 */
export function ratioOf(pairs: readonly (readonly [base: number, tested: number])[]): Ratio {
  const ratios = pairs.map(([base, tested]) => tested / base);
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}
