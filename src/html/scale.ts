/** From values to places on a chart, and the values worth a label. */

export interface Scale {
  /** 0 for the least value, 1 for the most. */
  place(value: number): number;
  readonly ticks: readonly number[];
}

/** From 0 to a round number not below `most`. @param count about how many ticks */
export function linear(most: number, count: number): Scale {
  const step = roundUp(Math.max(most, 1e-3) / count);
  const steps = Math.max(1, Math.ceil(Math.max(most, 1e-3) / step - 1e-9));
  return { place: (value) => value / (step * steps), ticks: Array.from({ length: steps + 1 }, (_, n) => Number((n * step).toPrecision(12))) };
}

/** Logarithmic, between round numbers around `least` and `most`; both above 0. */
export function logarithmic(least: number, most: number): Scale {
  // Over more than two powers of ten the ticks are these alone.
  const wide = most / least > 100;
  const low = wide ? 10 ** Math.floor(Math.log10(least) + 1e-9) : roundDown(least);
  const high = Math.max(wide ? 10 ** Math.ceil(Math.log10(most) - 1e-9) : roundUp(most), low * 10);
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low) + 1e-9); power <= Math.log10(high) + 1e-9; power++) {
    for (const digit of wide ? [1] : [1, 2, 5]) {
      const tick = Number((digit * 10 ** power).toPrecision(12));
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return { place: (value) => Math.log(Math.max(value, low) / low) / Math.log(high / low), ticks };
}

function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((digit) => digit * power >= value * 0.999999) ?? 10) * power;
}

function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([5, 2, 1].find((digit) => digit * power <= value * 1.000001) ?? 1) * power;
}
