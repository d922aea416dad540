import t from "tap";
import { Backlog } from "../../dist/worker/backlog.js";
import { type Sink, sqliteSink } from "../../dist/worker/sink.js";
import { Worker } from "../../dist/worker/worker.js";
import { startEngine } from "../helpers/engine.js";
import { until } from "../helpers/until.js";
import { appendEvents } from "../helpers/worker-process.js";

t.test("too much is told once, and its end at half of it", async (t) => {
  const told: unknown[] = [];
  const backlog = new Backlog(100, (entries, tooMany) => told.push([entries, tooMany]));
  for (const entries of [0, 100, 101, 500, 100, 51, 200, 50, 99, 100, 101]) backlog.look(entries);
  t.same(told, [
    [101, true],
    [50, false],
    [101, true],
  ]);
});

t.test("a worker whose sink takes nothing still looks, and tells when it has caught up", async (t) => {
  const engine = await startEngine(t, { http: false });
  let failing = true;
  const real = sqliteSink(engine.store.events);
  const sink: Sink = { name: "sqlite", write: (...batch) => (failing ? Promise.reject(new Error("full")) : real.write(...batch)) };
  const told: boolean[] = [];
  const worker = new Worker(engine.redis, engine.keys, sink, { backlog: 300, batch: 100, onBacklog: (_, tooMany) => told.push(tooMany) });
  await appendEvents(engine.redis, "impressions", 0, 600, 1);
  const running = worker.run();
  await until("it is told", () => told.length === 1);
  failing = false;
  await until("its end is told", () => told.length === 2);
  t.same(told, [true, false]);
  worker.stop();
  await running;
});
