/** What is said of queues by flags and environment: refused whole, without a word of a password. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { parseSinks } from "../../dist/cli/commands/queue-flags.js";
import { loadKafka } from "../../dist/queue/kafka-client.js";
import { amqpSettings, kafkaSettings } from "../../dist/queue/settings.js";

for (const name of Object.keys(process.env)) if (/^POPUP_(?:SINK|AMQP|KAFKA)/.test(name)) delete process.env[name];

t.test("which sinks", (t) => {
  t.teardown(() => delete process.env.POPUP_SINK);
  t.same(parseSinks(undefined), ["sqlite"]);
  t.same(parseSinks(["kafka", "rabbitmq", "kafka"]), ["kafka", "rabbitmq"], "in their order, each once");
  process.env.POPUP_SINK = "sqlite, rabbitmq";
  t.same(parseSinks(undefined), ["sqlite", "rabbitmq"]);
  t.same(parseSinks(["kafka"]), ["kafka"], "a flag goes before the environment");
  t.throws(() => parseSinks(["rabitmq"]), { code: "usage", message: '--sink: "rabitmq" is none', hint: /rabbitmq/ });
  t.end();
});

t.test("RabbitMQ", (t) => {
  t.throws(() => amqpSettings({}), { code: "usage", message: "rabbitmq: it is not said where it is", hint: /POPUP_AMQP_URL/ });
  t.same(amqpSettings({ amqpUrl: "amqp://u:p%2F@h" }), { url: "amqp://u:p%2F@h", exchange: "popup.events", queue: "popup.events" });
  for (const url of ["http://u:secret@h", "amqp://u:secret%ZZ@h", "secret", "amqp://"]) {
    try {
      amqpSettings({ amqpUrl: url });
      t.fail(url);
    } catch (error) {
      t.match(error, { code: "usage", message: /^--amqp-url/ });
      t.notMatch(JSON.stringify([(error as Error).message, (error as { hint?: string }).hint]), "secret");
    }
  }
  t.throws(() => amqpSettings({ amqpUrl: "amqp://h", amqpQueue: "a b" }), { message: '--amqp-queue: "a b" is not a name' });
  t.end();
});

t.test("Kafka", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "popup-kafka-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "kafka.properties");
  t.throws(() => kafkaSettings({}), { code: "usage", message: "kafka: it is not said where it is", hint: /POPUP_KAFKA_BROKERS/ });
  t.throws(() => kafkaSettings({ kafkaBrokers: "a,b:9092" }), { message: '--kafka-brokers: "a,b:9092" is not a list of HOST:PORT' });
  writeFileSync(file, "# of the bank\n\nsecurity.protocol=SASL_SSL\n sasl.password = a=b \n");
  t.same(kafkaSettings({ kafkaBrokers: "a:9092,[::1]:9093", kafkaConfig: file, kafkaTopic: "bank.popup" }), {
    brokers: "a:9092,[::1]:9093",
    topic: "bank.popup",
    deadTopic: "bank.popup.dead",
    group: "popup-consume",
    properties: { "security.protocol": "SASL_SSL", "sasl.password": "a=b" },
  });
  writeFileSync(file, "a=1\nsasl password secret\n");
  try {
    kafkaSettings({ kafkaBrokers: "a:9092", kafkaConfig: file });
    t.fail("a line that is none");
  } catch (error) {
    t.match(error, { code: "bad_file", message: `--kafka-config: ${file} has no name=value in line 2` });
    t.notMatch((error as Error).message, "secret");
  }
  t.throws(() => kafkaSettings({ kafkaBrokers: "a:9092", kafkaConfig: join(dir, "none") }), { code: "bad_file", message: /cannot be read/ });
  t.end();
});

t.test("a client that is not installed is said with the command that installs it", (t) => {
  t.throws(() => loadKafka("@confluentinc/not-there"), {
    code: "unavailable",
    message: "kafka: the package @confluentinc/not-there is not installed",
    hint: "npm install @confluentinc/kafka-javascript@1",
  });
  t.end();
});
