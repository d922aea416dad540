/** Kafka's protocol, spoken with librdkafka's mock brokers: order by user, an outage of all brokers, and what an independent client reads. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import t from "tap";
import { Consumer } from "../../dist/queue/consumer.js";
import { openKafkaReceiver, openKafkaSender } from "../../dist/queue/kafka.js";
import { queueSink } from "../../dist/queue/queue-sink.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { Worker } from "../../dist/worker/worker.js";
import { noKafka, noKcat, readByKcat, startKafka } from "../../dist-bench/queues/kafka.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { startEngine } from "../helpers/engine.js";
import { testStore } from "../helpers/store.js";
import { storedImpressions } from "../helpers/stored.js";
import { entryOf } from "../helpers/stream.js";
import { until } from "../helpers/until.js";

const STREAM = "impressions";
const USERS = 50;

t.test("with brokers", { skip: noKafka || noKcat, timeout: 240_000 }, async (t) => {
  const kafka = await startKafka();
  t.teardown(() => kafka.stop());
  const valid = new Ajv2020().compile(JSON.parse(readFileSync(join(PACKAGE_ROOT, "docs/events.schema.json"), "utf8")) as Record<string, unknown>);

  await t.test("worker and consume as commands; dead events have a topic of their own", async (t) => {
    const engine = await startEngine(t, { http: false });
    const popup = cli(t);
    const env = { ...popup.env, POPUP_REDIS_URL: engine.redisUrl, POPUP_KAFKA_BROKERS: kafka.brokers, POPUP_KAFKA_TOPIC: "bank.events" };
    const event = { type: "impression", campaign: "7", user: "2002", id: "show-1", at: "1780000000000", over_cap: "0", session: "" };
    await engine.redis.xadd(STREAM, "*", ...entryOf(event), "nonsense", "1", ...entryOf({ ...event, type: "dismiss" }));
    const [sent, read, dead] = await runMany({ env }, [
      ["worker", "--once", "--sink", "kafka"],
      ["consume", "--from", "kafka", "--once"],
      ["dead", "list", "--json"],
    ]);
    t.match(sent, { code: 0, stdout: "2 events written\n" });
    t.match(read, { code: 0, stdout: "2 events written\n" });
    t.match(JSON.parse(dead?.stdout ?? ""), [{ reason: 'field "nonsense" is not e' }]);
    const [aside] = readByKcat(kafka.brokers, "bank.events.dead");
    t.ok(valid(JSON.parse(aside?.value ?? "")), JSON.stringify(valid.errors));
  });

  await t.test("whatever a file says, an attempt that is made again is no second message", async (t) => {
    const settings = { brokers: kafka.brokers, topic: "once", deadTopic: "once.dead", group: "once" };
    const asked = { "enable.idempotence": "false", acks: "1" };
    const sender = await openKafkaSender({ ...settings, properties: asked }, 1_500);
    await sender.close();
    // A producer that is not idempotent may have as many under way; librdkafka says why this one may not.
    await t.rejects(openKafkaSender({ ...settings, properties: { ...asked, "max.in.flight": "6" } }, 1_500), /idempotence/);
  });

  await t.test("no broker answers for a while, under load", async (t) => {
    const engine = await startEngine(t, { http: false });
    const { store: reporting } = testStore(t);
    // A group of its own: of one that is left the mock brokers wait for the last member until its session times out.
    const settings = { brokers: kafka.brokers, topic: "popup.events", deadTopic: "popup.events.dead", group: "reporting", properties: {} };
    const incidents: (string | undefined)[] = [];
    const sink = queueSink("kafka", () => openKafkaSender(settings, 1_500), 2_000);
    const worker = new Worker(engine.redis, engine.keys, sink, { batch: 500, onIncident: (cause) => incidents.push(cause) });
    const feeder = engine.redis.duplicate();
    t.teardown(() => feeder.disconnect());
    const running = worker.run();

    let appended = 0;
    let feeding = true;
    const feed = (async () => {
      while (feeding) {
        const pipeline = feeder.pipeline();
        for (let i = 0; i < 100; i++) {
          const n = appended++;
          const event = { type: "impression", campaign: "1", user: `u${n % USERS}`, id: String(n), at: "1780000000000", over_cap: "0", session: "" };
          pipeline.xadd(STREAM, "*", ...entryOf(event));
        }
        await pipeline.exec();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const acknowledged = async (): Promise<boolean> => {
      const [group] = (await feeder.xinfo("GROUPS", STREAM)) as unknown[][];
      return group?.[group.indexOf("lag") + 1] === 0 && group[group.indexOf("pending") + 1] === 0;
    };
    await until("it has carried some", async () => (await feeder.xlen(STREAM)) > 1_000);
    kafka.freeze();
    await until("the trouble is told", () => incidents.length > 0);
    feeding = false;
    await feed;
    kafka.thaw();
    await until("everything is confirmed", acknowledged, 60_000);
    await until("the end is told", () => incidents.at(-1) === undefined);
    worker.stop();
    await running;
    await sink.close();
    t.match(incidents[0], /^Kafka takes no events: /);

    const rows = readByKcat(kafka.brokers, settings.topic);
    const ids = rows.map(({ value }) => (JSON.parse(value) as { impression_id: string }).impression_id);
    t.equal(new Set(ids).size, appended, "an independent client finds every event");
    t.comment(`${appended} events, ${rows.length - appended} doubles`);
    t.ok(rows.every(({ value }) => valid(JSON.parse(value))));
    t.ok(rows.every(({ key, value }) => key === (JSON.parse(value) as { user_id: string }).user_id));
    t.ok(new Set(rows.map(({ partition }) => partition)).size > 1, "over several partitions");
    for (let user = 0; user < USERS; user++) {
      const own = rows.filter(({ key }) => key === `u${user}`);
      const numbers = [...new Set(own.map(({ value }) => Number((JSON.parse(value) as { impression_id: string }).impression_id)))];
      t.equal(new Set(own.map(({ partition }) => partition)).size, 1, `u${user}: one partition`);
      t.same(
        numbers,
        numbers.toSorted((a, b) => a - b),
        `u${user}: in order`,
      );
    }

    const consumer = new Consumer("kafka", () => openKafkaReceiver(settings, 500), reporting.events);
    while (storedImpressions(reporting) < appended) await consumer.step(1_000);
    await consumer.close();
    t.equal(storedImpressions(reporting), appended);
    t.equal(reporting.events.userIds().length, USERS);
    t.equal(reporting.events.mark(STREAM), (await feeder.xrevrange(STREAM, "+", "-", "COUNT", 1))[0]?.[0]);
  });
});
