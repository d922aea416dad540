import t from "tap";
import { randomIds } from "../../dist-bench/population.js";
import { SeededRandom } from "../../dist-bench/random.js";

t.test("a seed repeats its values, another gives others", (t) => {
  const draw = (seed: number): number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 50 }, () => random.below(1_000));
  };
  t.same(draw(7), draw(7));
  t.notSame(draw(7), draw(8));
  t.ok(draw(7).every((value) => Number.isInteger(value) && value >= 0 && value < 1_000));
  t.same(new SeededRandom(1).shuffled([1, 2, 3, 4, 5]).sort(), [1, 2, 3, 4, 5]);
  t.end();
});

t.test("bits are set with the probability asked for", (t) => {
  const random = new SeededRandom(3);
  for (const parts of [0, 3, 13, 51, 128, 255]) {
    const bits = random.bits(100_000, parts);
    let ones = 0;
    for (const byte of bits) for (let bit = 0; bit < 8; bit++) ones += (byte >> bit) & 1;
    // 800,000 draws: five standard deviations are below 0.003.
    t.ok(Math.abs(ones / 800_000 - parts / 256) < 0.003, `${ones / 800_000} for ${parts}/256`);
  }
  t.end();
});

t.test("an audience has the ids below the number of users, and no other", (t) => {
  for (const users of [1_001, 65_536, 65_537, 200_000]) {
    const ids = randomIds(new SeededRandom(5), users, 128);
    const last = [...ids.integerIds()].at(-1) ?? -1;
    t.ok(last < users, `${last} of ${users}`);
    t.ok(Math.abs(ids.integers / users - 0.5) < 0.1, `${ids.integers} of ${users}`);
  }
  t.end();
});
