/** A broker that is away: its sink tells of it and keeps everything pending, and the other sinks do not notice. */
import t from "tap";
import { freePort } from "../../dist/private-engine.js";
import { queueSink, type Sender } from "../../dist/queue/queue-sink.js";
import { openRabbitSender } from "../../dist/queue/rabbitmq.js";
import { sqliteSink } from "../../dist/worker/sink.js";
import { Worker } from "../../dist/worker/worker.js";
import { startEngine } from "../helpers/engine.js";
import { storedImpressions } from "../helpers/stored.js";
import { until } from "../helpers/until.js";
import { appendEvents } from "../helpers/worker-process.js";

const STREAM = "impressions";
const impression = { type: "impression", campaignId: 1, userId: "u", impressionId: "i", at: 1, overCap: false, sessionId: null } as const;
const last = [{ stream: STREAM, id: "1-1" }];

t.test("each sink has its own group; RabbitMQ is not there, the store is", async (t) => {
  const engine = await startEngine(t, { http: false });
  const port = await freePort();
  const sink = queueSink("rabbitmq", () => openRabbitSender({ url: `amqp://u:secret@127.0.0.1:${port}`, exchange: "e", queue: "q" }));
  t.teardown(() => sink.close());
  const incidents: (string | undefined)[] = [];
  const redis = engine.redis.duplicate();
  t.teardown(() => redis.disconnect());
  const queue = new Worker(redis, engine.keys, sink, { onIncident: (cause) => incidents.push(cause) });
  const store = new Worker(engine.redis, engine.keys, sqliteSink(engine.store.events));
  const running = [queue.run(), store.run()];
  const appended = await appendEvents(engine.redis, STREAM, 0, 10);
  await until("the store has them", () => storedImpressions(engine.store) === appended);
  await until("the trouble is told", () => incidents.length > 0);
  t.match(incidents[0], /^RabbitMQ takes no events: connect ECONNREFUSED/);
  t.notMatch(incidents[0], /secret/);
  const pending = async (group: string): Promise<number> => ((await engine.redis.xpending(STREAM, group)) as [number])[0];
  t.equal(await pending("rabbitmq"), 10, "nothing of it is acknowledged");
  await until("all is acknowledged for the store", async () => (await pending("sqlite")) === 0);
  queue.stop();
  store.stop();
  await Promise.all(running);
});

t.test("a connection that failed is given up, and the next attempt makes another", async (t) => {
  const opened: number[] = [];
  const closed: number[] = [];
  const open = async (): Promise<Sender> => {
    const n = opened.push(opened.length);
    return {
      complaint: n === 2 ? "it is blocked: low on disk" : undefined,
      // The first one breaks, the second never confirms.
      send: () => (n === 1 ? Promise.reject(new Error("torn")) : n === 2 ? new Promise(() => undefined) : Promise.resolve()),
      close: async () => void closed.push(n),
    };
  };
  const sink = queueSink("kafka", open, 20);
  await t.rejects(sink.write([impression], [], last), { code: "unavailable", message: "Kafka takes no events: torn" });
  await t.rejects(sink.write([impression], [], last), { message: "Kafka takes no events: it is blocked: low on disk" });
  t.same(await sink.write([impression, { ...impression, impressionId: "a/b" }], [], last), {
    added: 1,
    refused: [{ index: 1, reason: "the impression id is not 1 to 64 characters of A-Z a-z 0-9 . _ -" }],
  });
  t.same([opened.length, closed], [3, [1, 2]]);
  await sink.write([impression], [], last);
  t.equal(opened.length, 3, "one that works stays");
  await sink.close();
  t.same(closed, [1, 2, 3]);
});
