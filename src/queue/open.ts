/** A queue by its name, as a sink or as what is read. The client of a queue is loaded where it is asked for, and nowhere else. */
import { loadKafka } from "./kafka-client.js";
import { type QueueSink, queueSink } from "./queue-sink.js";
import type { Receiver } from "./receiver.js";
import { amqpSettings, kafkaSettings, type QueueFlags, type QueueName } from "./settings.js";

/** Messages that are read and not yet kept, at most. */
const READ_AT_ONCE = 2_000;

/**
 * Does not connect: a broker that is away is the sink's trouble, and holds up no other.
 * @throws PopupError `usage`, `bad_file`, or `unavailable` where a package is missing
 */
export function openQueueSink(queue: QueueName, flags: QueueFlags): QueueSink {
  if (queue === "rabbitmq") {
    const settings = amqpSettings(flags);
    return queueSink(queue, async () => (await import("./rabbitmq.js")).openRabbitSender(settings));
  }
  const settings = kafkaSettings(flags);
  loadKafka();
  return queueSink(queue, async () => (await import("./kafka.js")).openKafkaSender(settings));
}

/** What connects, each time it is called. @throws as {@link openQueueSink} */
export function receiverOf(queue: QueueName, flags: QueueFlags): () => Promise<Receiver> {
  if (queue === "rabbitmq") {
    const settings = amqpSettings(flags);
    return async () => (await import("./rabbitmq.js")).openRabbitReceiver(settings, READ_AT_ONCE);
  }
  const settings = kafkaSettings(flags);
  loadKafka();
  return async () => (await import("./kafka.js")).openKafkaReceiver(settings, READ_AT_ONCE);
}
