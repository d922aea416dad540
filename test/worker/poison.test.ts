/** An event that decodes and that the store does not take: it alone is set aside, with the reason. */

import { join } from "node:path";
import Database from "better-sqlite3";
import type { Test } from "tap";
import t from "tap";
import { type Sink, sqliteSink } from "../../dist/worker/sink.js";
import { type BatchResult, Worker } from "../../dist/worker/worker.js";
import { startEngine, type TestEngine } from "../helpers/engine.js";
import { storedImpressions } from "../helpers/stored.js";
import { entryOf } from "../helpers/stream.js";

const STREAM = "impressions";
const event = (user: string): string[] => entryOf({ type: "impression", campaign: "1", user, id: "i", at: "1780000000000", over_cap: "0", session: "" });

/** The store refuses events of users whose id begins with poison. */
async function poisonedEngine(t: Test): Promise<TestEngine> {
  const engine = await startEngine(t, { http: false });
  const db = new Database(join(engine.dir, "popup.db"));
  db.exec("CREATE TRIGGER poison BEFORE INSERT ON events WHEN NEW.user_id LIKE 'poison%' BEGIN SELECT RAISE(ABORT, 'no such customer'); END");
  db.close();
  return engine;
}

const pending = async (engine: TestEngine): Promise<number> => ((await engine.redis.xpending(STREAM, "sqlite")) as [number])[0];

t.test("the rest of its batch, and of its entry, is kept; nothing stays pending", async (t) => {
  const engine = await poisonedEngine(t);
  const ids = [
    await engine.redis.xadd(STREAM, "*", ...event("u1")),
    await engine.redis.xadd(STREAM, "*", ...event("poison-a")),
    await engine.redis.xadd(STREAM, "*", "nonsense", "1"),
    await engine.redis.xadd(STREAM, "*", ...event("u2"), ...event("u1"), ...event("poison-b"), "e", "torn", ...event("u3"), ...event("poison-c")),
    await engine.redis.xadd(STREAM, "*", ...event("u4")),
  ];
  const results: BatchResult[] = [];
  const worker = new Worker(engine.redis, engine.keys, sqliteSink(engine.store.events), { onBatch: (result) => results.push(result) });
  await worker.step();
  await worker.step();
  t.same(engine.store.events.userIds().sort(), ["u1", "u2", "u3", "u4"]);
  t.same(
    engine.store.deadEvents
      .list()
      .map(({ streamId, reason, fields }) => [streamId, reason, fields.join(" ").split(" ").slice(0, 4).join(" ")])
      .sort(),
    [
      [ids[1], "no such customer", "e impression 1 poison-a"],
      [ids[2], 'field "nonsense" is not e', "nonsense 1"],
      [`${ids[3]}#2`, "no such customer", "e impression 1 poison-b"],
      [`${ids[3]}#3`, "it has not seven parts", "e torn"],
      [`${ids[3]}#5`, "no such customer", "e impression 1 poison-c"],
    ],
  );
  t.equal(await pending(engine), 0);
  t.match(results, [{ added: 4, duplicates: 1, dead: 5 }], "and counted");
  t.equal(results.length, 1);
  t.equal(engine.store.events.mark(STREAM), ids[4]);
});

t.test("a batch of nothing else does not hold up the next", async (t) => {
  const engine = await poisonedEngine(t);
  for (let n = 0; n < 500; n++) await engine.redis.xadd(STREAM, "*", ...event(`poison-${n}`));
  await engine.redis.xadd(STREAM, "*", ...event("u1"));
  await engine.drain();
  t.equal(storedImpressions(engine.store), 1);
  t.equal(engine.store.deadEvents.count(), 500);
  t.equal(await pending(engine), 0);
});

t.test("a crash between the batch and its dead events loses none of them", async (t) => {
  const engine = await poisonedEngine(t);
  await engine.redis.xadd(STREAM, "*", ...event("u1"), ...event("poison"));
  const real = sqliteSink(engine.store.events);
  let writes = 0;
  const dying: Sink = { name: "sqlite", write: (events, dead, last) => (++writes === 2 ? Promise.reject(new Error("gone")) : real.write(events, dead, last)) };
  const worker = new Worker(engine.redis, engine.keys, dying);
  await worker.step();
  await t.rejects(worker.step(), { message: "gone" });
  t.equal(await pending(engine), 1, "it is not acknowledged");
  const heir = new Worker(engine.redis, engine.keys, real, { claimAfterMs: 0 });
  await heir.step();
  t.same([storedImpressions(engine.store), engine.store.deadEvents.count(), await pending(engine)], [1, 1, 0]);
});

t.test("an error of the store itself is held against no event", async (t) => {
  const engine = await startEngine(t, { http: false });
  const db = new Database(join(engine.dir, "popup.db"));
  t.teardown(() => db.close());
  db.exec("ALTER TABLE events RENAME TO away");
  await engine.redis.xadd(STREAM, "*", ...event("u1"));
  await engine.worker.step();
  await t.rejects(engine.worker.step(), { message: /no such table/ });
  t.same([engine.store.deadEvents.count(), await pending(engine)], [0, 1]);
  db.exec("ALTER TABLE away RENAME TO events");
  await engine.worker.step();
  t.same([storedImpressions(engine.store), await pending(engine)], [1, 0], "the batch in hand is written at the next step");
});
