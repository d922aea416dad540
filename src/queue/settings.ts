/** Which queues there are, and what is said of them by flags, or by the environment where no flag says it. */
import { readFileSync } from "node:fs";
import { readQueueEnv } from "../config.js";
import { PopupError, reasonOf } from "../errors.js";

export const QUEUES = ["rabbitmq", "kafka"] as const;
export type QueueName = (typeof QUEUES)[number];

export interface QueueFlags {
  amqpUrl?: string;
  amqpExchange?: string;
  amqpQueue?: string;
  kafkaBrokers?: string;
  kafkaTopic?: string;
  kafkaGroup?: string;
  kafkaConfig?: string;
}

export interface AmqpSettings {
  /** amqp:// or amqps://, with user and password. */
  readonly url: string;
  /** A durable topic exchange. */
  readonly exchange: string;
  /** The quorum queue that all of the exchange goes to, for `popup consume`. */
  readonly queue: string;
}

export interface KafkaSettings {
  /** host:port, with commas between. */
  readonly brokers: string;
  readonly topic: string;
  /** The topic of what is no event. */
  readonly deadTopic: string;
  /** The consumer group of `popup consume`. */
  readonly group: string;
  /** Further properties of librdkafka, such as those of TLS and SASL. */
  readonly properties: Readonly<Record<string, string>>;
}

const DEFAULT_NAME = "popup.events";
const DEFAULT_GROUP = "popup-consume";
const NAME = /^[A-Za-z0-9._-]{1,200}$/;
const NAME_RULE = "use 1 to 200 characters of A-Z a-z 0-9 . _ -";
const URL_HINT = "give POPUP_AMQP_URL (or --amqp-url) as amqp://USER:PASSWORD@HOST:PORT, other signs in them as %XX; amqps:// for TLS";
const BROKERS_HINT = "give POPUP_KAFKA_BROKERS (or --kafka-brokers) as host:9092,host2:9092";

/** @throws PopupError `usage` */
export function amqpSettings(flags: QueueFlags): AmqpSettings {
  const env = readQueueEnv();
  const url = flags.amqpUrl ?? env.amqpUrl;
  if (url === undefined) throw usage("rabbitmq: it is not said where it is", URL_HINT);
  // The text may hold a password: it is not repeated.
  if (!isAmqpUrl(url)) throw usage("--amqp-url: this is not a URL of RabbitMQ", URL_HINT);
  return {
    url,
    exchange: name("--amqp-exchange", flags.amqpExchange ?? env.amqpExchange ?? DEFAULT_NAME),
    queue: name("--amqp-queue", flags.amqpQueue ?? env.amqpQueue ?? DEFAULT_NAME),
  };
}

/** @throws PopupError `usage`, or `bad_file` for a file of properties that cannot be read */
export function kafkaSettings(flags: QueueFlags): KafkaSettings {
  const env = readQueueEnv();
  const brokers = flags.kafkaBrokers ?? env.kafkaBrokers;
  if (brokers === undefined) throw usage("kafka: it is not said where it is", BROKERS_HINT);
  if (!brokers.split(",").every((broker) => /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d{1,5}$/.test(broker)))
    throw usage(`--kafka-brokers: "${brokers}" is not a list of HOST:PORT`, BROKERS_HINT);
  const topic = name("--kafka-topic", flags.kafkaTopic ?? env.kafkaTopic ?? DEFAULT_NAME);
  const file = flags.kafkaConfig ?? env.kafkaConfig;
  return {
    brokers,
    topic,
    deadTopic: `${topic}.dead`,
    group: name("--kafka-group", flags.kafkaGroup ?? env.kafkaGroup ?? DEFAULT_GROUP),
    properties: file === undefined ? {} : readProperties(file),
  };
}

/** `name=value` a line, as librdkafka's own tools read them; an empty line, or one that begins with #, says nothing. */
function readProperties(path: string): Record<string, string> {
  const refuse = (problem: string): PopupError =>
    new PopupError("bad_file", `--kafka-config: ${path} ${problem}`, { hint: "write a property of librdkafka a line, as in security.protocol=SASL_SSL" });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw refuse(`cannot be read: ${reasonOf(error)}`);
  }
  const properties: Record<string, string> = {};
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#.*)?$/.test(line)) continue;
    const [, key, value] = /^\s*([a-z0-9._]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    // The line may hold a password: it is not repeated.
    if (key === undefined || value === undefined) throw refuse(`has no name=value in line ${index + 1}`);
    properties[key] = value;
  }
  return properties;
}

function name(flag: string, text: string): string {
  if (!NAME.test(text)) throw usage(`${flag}: "${text}" is not a name`, NAME_RULE);
  return text;
}

function isAmqpUrl(text: string): boolean {
  if (!/^amqps?:\/\/./.test(text)) return false;
  try {
    const { username, password, pathname } = new URL(text);
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

function usage(message: string, hint: string): PopupError {
  return new PopupError("usage", message, { hint });
}
