/** A real RabbitMQ: what an event is there, and kill -9 of it under load: every event arrives, and those that came twice are one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { type AsyncMessage, Connection } from "rabbitmq-client";
import t from "tap";
import { Consumer } from "../../dist/queue/consumer.js";
import { queueSink } from "../../dist/queue/queue-sink.js";
import { openRabbitReceiver, openRabbitSender } from "../../dist/queue/rabbitmq.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { sqliteSink } from "../../dist/worker/sink.js";
import { type BatchResult, Worker } from "../../dist/worker/worker.js";
import { noRabbit, startRabbit } from "../../dist-bench/queues/rabbitmq.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { startEngine } from "../helpers/engine.js";
import { testStore } from "../helpers/store.js";
import { storedImpressions } from "../helpers/stored.js";
import { entryOf } from "../helpers/stream.js";
import { until } from "../helpers/until.js";
import { appendEvents } from "../helpers/worker-process.js";

const STREAM = "impressions";
/** A machine that does much else takes long to start a server again, ms. */
const PATIENT = 150_000;

t.test("with a broker", { skip: noRabbit, timeout: 240_000 }, async (t) => {
  const rabbit = await startRabbit();
  t.teardown(() => rabbit.stop());
  const settings = { url: rabbit.url, exchange: "popup.events", queue: "popup.events" };
  const others = new Connection({ url: rabbit.url });
  others.on("error", () => undefined);
  t.teardown(() => others.unsafeDestroy());

  await t.test("worker, consume and report as commands; what others see of an event", async (t) => {
    const engine = await startEngine(t, { http: false });
    const popup = cli(t);
    const env = { ...popup.env, POPUP_REDIS_URL: engine.redisUrl, POPUP_AMQP_URL: rabbit.url };
    const event = { type: "impression", campaign: "7", user: "2002", id: "show-1", at: "1780000000000", over_cap: "0", session: "" };
    await engine.redis.xadd(STREAM, "*", ...entryOf(event), ...entryOf({ ...event, type: "click", session: "s" }), ...entryOf({ ...event, id: "a/b" }));
    const last = await engine.redis.xadd(STREAM, "*", "nonsense", "1");
    // A queue of another program, for clicks alone, and one for everything: they are gone with its connection.
    const program = new Connection({ url: rabbit.url });
    program.on("error", () => undefined);
    t.teardown(() => program.unsafeDestroy());
    const channel = await program.acquire();
    await channel.exchangeDeclare({ exchange: settings.exchange, type: "topic", durable: true });
    const got: Record<string, AsyncMessage[]> = { "click.*": [], "#": [] };
    for (const [routingKey, messages] of Object.entries(got)) {
      const { queue } = await channel.queueDeclare({ exclusive: true });
      await channel.queueBind({ exchange: settings.exchange, queue, routingKey });
      await channel.basicConsume({ queue, noAck: true }, (message) => void messages.push(message));
    }
    const [sent, read, report, again] = await runMany({ env }, [
      ["worker", "--once", "--sink", "sqlite", "--sink", "rabbitmq", "--json"],
      ["consume", "--from", "rabbitmq", "--once", "--json", "--data", join(popup.dir, "reporting")],
      ["report", "--json", "--data", join(popup.dir, "reporting")],
      ["consume", "--from", "rabbitmq", "--once"],
    ]);
    t.match(sent, { code: 0, stdout: '{"written":5,"by_sink":{"sqlite":3,"rabbitmq":2}}\n' });
    t.match(read, { code: 0, stdout: '{"written":2}\n' });
    t.match(JSON.parse(report?.stdout ?? ""), [{ campaign_id: 7, impressions: 1, users: 1, clicks: 1 }]);
    t.match(again, { code: 0, stdout: "0 events written\n" }, "it is acknowledged");

    const [dead] = (await runMany({ env }, [["dead", "list", "--json", "--data", join(popup.dir, "reporting")]])).map(({ stdout }) => JSON.parse(stdout));
    t.match(dead, [
      { id: last, reason: 'field "nonsense" is not e', fields: ["nonsense", "1"] },
      { reason: "the impression id is not 1 to 64 characters of A-Z a-z 0-9 . _ -", fields: ["e", /a\/b/] },
    ]);

    await until("others have them", () => got["#"]?.length === 4 && got["click.*"]?.length === 1);
    const valid = new Ajv2020().compile(JSON.parse(readFileSync(join(PACKAGE_ROOT, "docs/events.schema.json"), "utf8")) as Record<string, unknown>);
    for (const { body } of got["#"] ?? []) t.ok(valid(JSON.parse(String(body))), JSON.stringify(valid.errors));
    t.match(got["click.*"], [
      {
        messageId: "click:show-1:2002",
        routingKey: "click.7",
        contentType: "application/json",
        durable: true,
      },
    ]);
    const readTo = (got["#"] ?? []).flatMap(({ headers }) => headers?.["popup-read-to"] ?? []);
    t.same([...new Set(readTo)], [JSON.stringify({ [STREAM]: last })], "the last of a batch says how far the stream was read");
    const asClassic = channel.queueDeclare({ queue: settings.queue, durable: true, arguments: { "x-queue-type": "classic" } });
    await t.rejects(asClassic, { message: /inequivalent arg 'x-queue-type'.* current is 'quorum'/ });
    await program.close();
  });

  await t.test("an exchange whose queue was deleted takes nothing: it would confirm, and throw away", async (t) => {
    const sink = queueSink("rabbitmq", () => openRabbitSender(settings));
    t.teardown(() => sink.close());
    const event = { type: "impression", campaignId: 1, userId: "u", impressionId: "i", at: 1, overCap: false, sessionId: null } as const;
    const last = [{ stream: STREAM, id: "1-1" }];
    await sink.write([event], [], last);
    const channel = await others.acquire();
    await channel.queueDelete({ queue: settings.queue });
    await t.rejects(sink.write([event], [], last), { message: "RabbitMQ takes no events: no queue is bound to the exchange popup.events for 1 of the events" });
    t.same(await sink.write([event], [], last), { added: 1, refused: [] }, "and the next connection makes the queue again");
    t.match(await channel.queuePurge({ queue: settings.queue }), { messageCount: 1 });
    await channel.close();
  });

  await t.test("killed with -9 under load", async (t) => {
    const engine = await startEngine(t, { http: false });
    const { store: reporting } = testStore(t);
    const incidents: Record<string, (string | undefined)[]> = { worker: [], consume: [] };
    const sink = queueSink("rabbitmq", () => openRabbitSender(settings), 5_000);
    const redis = engine.redis.duplicate();
    const worker = new Worker(redis, engine.keys, sink, { batch: 500, onIncident: (cause) => incidents.worker?.push(cause) });
    const beside = new Worker(engine.redis, engine.keys, sqliteSink(engine.store.events));
    const batches: BatchResult[] = [];
    const consumer = new Consumer("rabbitmq", () => openRabbitReceiver(settings, 500), reporting.events, {
      onIncident: (cause) => incidents.consume?.push(cause),
      onBatch: (batch) => batches.push(batch),
    });
    const running = [worker.run(), beside.run(), consumer.run()];
    t.teardown(() => redis.disconnect());

    let appended = 0;
    let feeding = true;
    const feed = (async () => {
      while (feeding) {
        appended = await appendEvents(engine.redis, STREAM, appended, 5);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const arrived = (): number => storedImpressions(reporting);
    await until("events arrive", () => arrived() > 1_000, PATIENT);
    await rabbit.kill();
    await until("both ends tell of the trouble", () => Object.values(incidents).every((causes) => causes.length > 0), PATIENT);
    const stored = storedImpressions(engine.store);
    await until("the store goes on meanwhile", () => storedImpressions(engine.store) > stored);
    feeding = false;
    await feed;
    await rabbit.start();
    await until("every event has arrived", () => arrived() === appended, PATIENT);
    await until("all is acknowledged", async () => ((await engine.redis.xpending(STREAM, "rabbitmq")) as [number])[0] === 0);
    await until("the end is told", () => Object.values(incidents).every((causes) => causes.at(-1) === undefined), PATIENT);
    worker.stop();
    beside.stop();
    consumer.stop();
    await Promise.all(running);
    await Promise.all([sink.close(), consumer.close()]);

    t.match(incidents.worker?.[0], /^RabbitMQ takes no events: /);
    t.match(incidents.consume?.[0], /^RabbitMQ gives no events: /);
    t.equal(reporting.events.userIds().length, appended, "each once, and each that there was");
    t.equal(storedImpressions(engine.store), appended);
    const sum = (value: (batch: BatchResult) => number): number => batches.reduce((all, batch) => all + value(batch), 0);
    t.equal(
      sum(({ added }) => added),
      appended,
    );
    t.comment(`${appended} events, ${sum(({ duplicates }) => duplicates)} doubles removed`);
    t.equal(reporting.events.mark(STREAM), engine.store.events.mark(STREAM), "the store knows how far it has the stream, as the worker's does");
  });
});
