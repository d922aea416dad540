/**
 * Selection, caps, targets and reports against the model of DESIGN §4 to §6: random campaigns, users
 * and clocks, and every reply must be the model's. POPUP_SEED=N repeats a run.
 */
import t from "tap";
import { runCase } from "../helpers/property-case.js";
import { Random, seedOfRun } from "../helpers/random.js";
import { startRedis } from "../helpers/redis.js";

/** How many cases with so many partitions. */
const CASES = [
  [1, 120],
  [3, 40],
] as const;
const { redis } = await startRedis(t);

t.test("every reply is the model's", async (t) => {
  const seed = seedOfRun();
  t.comment(`seed ${seed}; POPUP_SEED=${seed} repeats it`);
  const seen = new Map<string, number>();
  for (const [partitions, cases] of CASES) {
    for (let number = 0; number < cases; number++) {
      const failure = await runCase(redis, new Random((seed + number * 7919) >>> 0), partitions, seen);
      if (failure !== undefined) {
        const where = `seed ${seed}, ${partitions} partitions, case ${number}, ${failure.where}`;
        t.fail(where, { expected: failure.wanted, found: failure.found, state: failure.state });
        return;
      }
    }
  }
  t.comment(
    [...seen]
      .sort()
      .map(([reply, times]) => `${reply} ${times}`)
      .join(", "),
  );
  for (const reply of [
    "get:show",
    "get:none",
    "impression:counted",
    "impression:duplicate",
    "impression:capped",
    "impression:unknown",
    "click:recorded",
    "dismiss:duplicate",
  ]) {
    t.ok((seen.get(reply) ?? 0) > 0, `the run has met ${reply}`);
  }
});
