/** Kafka: events go to a topic under their user's id, so that those of one user stay in order; what is none goes to a topic beside it. */
import { type KafkaConsumer, type KafkaError, type KafkaHeaders, type KafkaMessage, type KafkaPlace, type KafkaProducer, loadKafka } from "./kafka-client.js";
import { type Delivered, marksIn, READ_TO_HEADER, readToText } from "./message.js";
import { CONFIRM_MS, type Sender } from "./queue-sink.js";
import type { Receiver } from "./receiver.js";
import type { KafkaSettings } from "./settings.js";

/** How long the brokers may take to tell of themselves, ms. */
const CONNECT_MS = 5_000;
/** The error code of a topic that is not there. */
const UNKNOWN_TOPIC = 3;
/** A consumer group gives its members their partitions after some seconds: this long an empty topic is told from one that is not given yet, ms. */
const JOIN_MS = 20_000;
/** At the end of a connection what is on its way is given up. */
const END_MS = 100;

/**
 * Connects. @throws when no broker answers
 * @param confirmMs after this a message that is not confirmed is given up; the worker sends it again
 */
export async function openKafkaSender(settings: KafkaSettings, confirmMs: number = CONFIRM_MS): Promise<Sender> {
  const { Producer } = loadKafka();
  const producer = new Producer({
    ...common(settings),
    // Where linger and compression are set in the file, these are.
    "linger.ms": 5,
    "compression.codec": "lz4",
    ...settings.properties,
    // As Kafka's own clients do it, so that other data under the same keys lies in the same partitions.
    partitioner: "murmur2_random",
    "enable.idempotence": true,
    acks: "all",
    "message.timeout.ms": confirmMs,
    dr_cb: true,
  });
  await connect(producer);
  let complaint: string | undefined;
  producer.on("event.error", ({ message }) => (complaint = message));
  producer.setPollInBackground(true);
  producer.on("delivery-report", (error, { opaque }) => (opaque as Settle)(error));
  return {
    get complaint() {
      return complaint;
    },
    send: async (messages, marks) => {
      complaint = undefined;
      const headersOf = (place: number): KafkaHeaders => (place === messages.length - 1 ? [{ [READ_TO_HEADER]: readToText(marks) }] : []);
      await Promise.all(
        messages.map(({ key, text }, place) =>
          answer((done) => producer.produce(key === null ? settings.deadTopic : settings.topic, null, Buffer.from(text), key, null, done, headersOf(place))),
        ),
      );
    },
    close: () => new Promise((resolve) => producer.disconnect(END_MS, resolve)),
  };
}

type Settle = (error: KafkaError | null | undefined) => void;

/** @throws the error that the call is answered with */
function answer(ask: (done: Settle) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    ask((error) => (error ? reject(new Error(error.message)) : resolve()));
  });
}

/** @throws when no broker answers: in the client's own words, where it has some */
async function connect(client: KafkaProducer | KafkaConsumer): Promise<void> {
  let complaint: string | undefined;
  client.on("event.error", ({ message }) => (complaint = message));
  await answer((done) => client.connect({ timeout: CONNECT_MS }, done)).catch((error: unknown) => {
    throw complaint === undefined ? error : new Error(complaint);
  });
}

function common({ brokers, properties }: KafkaSettings): Record<string, string | number> {
  return { "client.id": "popup", "reconnect.backoff.max.ms": 1_000, "topic.metadata.refresh.interval.ms": 10_000, ...properties, "bootstrap.servers": brokers };
}

/** Connects, and joins the consumer group. @param most messages at a time @throws when no broker answers */
export async function openKafkaReceiver(settings: KafkaSettings, most: number): Promise<Receiver> {
  const { KafkaConsumer } = loadKafka();
  const consumer = new KafkaConsumer(
    {
      ...common(settings),
      "group.id": settings.group,
      "enable.auto.commit": false,
      "enable.auto.offset.store": false,
      rebalance_cb: true,
      offset_commit_cb: true,
    },
    { "auto.offset.reset": "earliest" },
  );
  await connect(consumer);
  consumer.setDefaultIsTimeoutOnlyForFirstMessage(true);
  // Its answer comes with a later read: to wait for it here would be to wait for ever.
  let failure: string | undefined;
  consumer.on("offset.commit", (error) => (failure = error?.message));
  let joined = false;
  consumer.on("rebalance", () => (joined = true));
  // As a pattern: where there has been no dead event there may be no topic of them, which would be an error otherwise.
  consumer.subscribe([`^(${[settings.topic, settings.deadTopic].map((name) => name.replaceAll(".", "\\.")).join("|")})$`]);
  return {
    read: async (waitMs) => {
      if (failure !== undefined) throw new Error(failure);
      consumer.setDefaultConsumeTimeout(waitMs);
      const until = performance.now() + JOIN_MS;
      let messages = await consume(consumer, most);
      while (messages.length === 0 && !joined && performance.now() < until) messages = await consume(consumer, most);
      return { messages: messages.map(deliveredOf), acknowledge: async () => void (messages.length > 0 && consumer.commit(nextOf(messages))) };
    },
    close: () => new Promise((resolve) => consumer.disconnect(resolve)),
  };
}

function consume(consumer: KafkaConsumer, most: number): Promise<readonly KafkaMessage[]> {
  return new Promise((resolve, reject) => {
    consumer.consume(most, (error, messages) => {
      if (!error) resolve(messages);
      // Nothing was ever sent to it: it is found when it is made.
      else if (error.code === UNKNOWN_TOPIC) resolve([]);
      else reject(new Error(error.message));
    });
  });
}

/** Of each partition the place behind the last message. */
function nextOf(messages: readonly KafkaMessage[]): KafkaPlace[] {
  const next = new Map<string, KafkaPlace>();
  for (const { topic, partition, offset } of messages) next.set(`${topic} ${partition}`, { topic, partition, offset: offset + 1 });
  return [...next.values()];
}

function deliveredOf({ topic, partition, offset, value, timestamp, headers = [] }: KafkaMessage): Delivered {
  return {
    asideId: `${timestamp ?? 0}-${topic}:${partition}:${offset}`,
    text: value === null ? "" : value.toString(),
    marks: marksIn(headers.find((one) => READ_TO_HEADER in one)?.[READ_TO_HEADER]),
  };
}
