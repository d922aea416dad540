/** What counts as flat. */
import t from "tap";
import { isFlat, lineThrough, type Point, trendOf } from "./trend.js";

const series = (value: (i: number) => number, length = 100): Point[] => Array.from({ length }, (_, i) => ({ s: i * 3, value: value(i) }));

t.test("a line through points has their slope, and no error where they lie on it", (t) => {
  const { slope, error } = lineThrough(series((i) => 5 + 6 * i));
  t.ok(Math.abs(slope - 2) < 1e-9, "6 in 3 s");
  t.ok(error < 1e-9);
  const rough = lineThrough([
    { s: 0, value: 0 },
    { s: 1, value: 2 },
    { s: 2, value: 1 },
  ]);
  t.equal(rough.slope, 0.5);
  t.ok(Math.abs(rough.error - Math.sqrt(1.5 / 2)) < 1e-9, "residuals 1.5, one degree of freedom, spread 2");
  t.end();
});

t.test("filling up at the beginning is flat, growing to the end is not", (t) => {
  const MIB = 2 ** 20;
  const filling = trendOf(series((i) => (i < 18 ? 50 + i : 70) * MIB));
  t.ok(isFlat(filling, 0.05, 4 * MIB));
  const leaking = trendOf(series((i) => (50 + i / 5) * MIB));
  t.notOk(isFlat(leaking, 0.05, 4 * MIB));
  t.ok(leaking.slopePerHour > (3_600 / 16) * MIB && leaking.slopePerHour < (3_600 / 14) * MIB, "a fifth of a MiB in 3 s");
  t.ok(isFlat(trendOf(series((i) => (i < 90 ? 50 : 20) * MIB)), 0.05, 0), "less is flat");
  // Up by 11 and down by 15, out of step with the samples: the medians differ by what the tooth happens to be.
  const tooth = (i: number): number => (35 + ((i * 11) % 23)) * MIB;
  t.ok(isFlat(trendOf(series((i) => tooth(i) + (i > 80 && i % 2 === 0 ? 3 * MIB : 0))), 0.05, 0), "a saw's teeth");
  t.notOk(isFlat(trendOf(series((i) => tooth(i) + i * 0.15 * MIB)), 0.05, 0), "a saw that climbs by more than its noise");
  t.throws(() => trendOf(series(() => 1, 14)), RangeError);
  t.end();
});
