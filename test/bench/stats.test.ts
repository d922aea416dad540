import t from "tap";
import { median, ratioOf } from "../../dist-bench/stats.js";

t.test("the median is the middle value, or the mean of the two middle ones", (t) => {
  t.equal(median([3]), 3);
  t.equal(median([9, 1, 5]), 5);
  t.equal(median([4, 1, 3, 2]), 2.5);
  // As numbers, not as text.
  t.equal(median([10, 9, 100]), 10);
  t.throws(() => median([]), RangeError);
  t.end();
});

t.test("a ratio is taken pair by pair, tested over base", (t) => {
  // Run by run the machine gets slower; the pairs say the same throughout.
  t.same(
    ratioOf([
      [100, 50],
      [50, 25],
      [10, 5],
    ]),
    { median: 0.5, min: 0.5, max: 0.5 },
  );
  t.same(
    ratioOf([
      [10, 5],
      [10, 20],
      [10, 10],
    ]),
    { median: 1, min: 0.5, max: 2 },
  );
  t.end();
});
