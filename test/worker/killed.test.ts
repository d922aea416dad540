/** kill -9 of the worker at any moment: every event is stored once, and nothing stays pending. */

import "../helpers/uncovered.js";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { startRedis } from "../helpers/redis.js";
import { testStore } from "../helpers/store.js";
import { storedImpressions } from "../helpers/stored.js";
import { until } from "../helpers/until.js";
import { appendEvents, startWorker } from "../helpers/worker-process.js";

const STREAM = "impressions";

t.test("killed again and again while events come in", async (t) => {
  const { store, path } = testStore(t);
  const { redis, url } = await startRedis(t);
  let appended = 0;
  let feeding = true;
  const feed = (async () => {
    while (feeding) {
      appended = await appendEvents(redis, STREAM, appended, 20);
      await delay(5);
    }
  })();
  let reached = 0;
  for (let kill = 0; kill < 6; kill++) {
    const worker = startWorker(t, dirname(path), url, { args: ["--quiet", "--claim-after", "1"] });
    const before = storedImpressions(store);
    await until("it has written something", () => storedImpressions(store) > before);
    // Not only right after a commit: some way into the following batches.
    await until("and goes on", () => storedImpressions(store) > before + kill * 100);
    await worker.end("SIGKILL");
    t.ok(storedImpressions(store) > reached, `kill ${kill + 1}: it got on, to ${(reached = storedImpressions(store))}`);
  }
  feeding = false;
  await feed;
  const last = startWorker(t, dirname(path), url, { args: ["--claim-after", "1"] });
  await until(
    "everything is stored and acknowledged",
    async () => {
      const [pending] = (await redis.xpending(STREAM, "sqlite")) as [number];
      return pending === 0 && storedImpressions(store) >= appended;
    },
    60_000,
  );
  t.equal(await last.end(), 0, "SIGTERM ends it with 0");
  t.same(last.log(), [], "without a word");
  t.equal(storedImpressions(store), appended, "each event once");
  t.equal(store.events.userIds().length, appended, "and each that there was");
  t.equal(store.deadEvents.count(), 0);
  t.equal(store.events.mark(STREAM), (await redis.xrevrange(STREAM, "+", "-", "COUNT", 1))[0]?.[0]);
});
