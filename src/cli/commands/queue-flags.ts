/** The flags that say which queues events go to or come from, and where these are. */
import { type Command, Option } from "commander";
import { readQueueEnv } from "../../config.js";
import { PopupError } from "../../errors.js";
import { QUEUES, type QueueFlags } from "../../queue/settings.js";
import { didYouMean } from "../../suggest.js";

export const SINKS = ["sqlite", ...QUEUES] as const;
export type SinkName = (typeof SINKS)[number];

export function addSinkFlag(command: Command): Command {
  const option = new Option("--sink <sink>", "where events go; repeat it for more (env POPUP_SINK, with commas between; default sqlite)").choices([...SINKS]);
  const { parseArg } = option;
  return command.addOption(option.argParser((value: string, before: string[] = []) => [...before, String(parseArg?.(value, undefined))]));
}

/** In their order, each once. @throws PopupError `usage` */
export function parseSinks(flag: readonly string[] | undefined): readonly SinkName[] {
  const texts = flag ?? readQueueEnv().sink?.split(",") ?? ["sqlite"];
  const names = texts.map((text) => {
    const found = SINKS.find((name) => name === text.trim());
    if (!found)
      throw new PopupError("usage", `--sink: "${text}" is none`, {
        hint: `${didYouMean(text, SINKS)}use ${SINKS.join(", ")}; in POPUP_SINK with commas between`,
        field: "sink",
      });
    return found;
  });
  return [...new Set(names)];
}

/**
 * Whether all that the sinks need is said and installed: a child process that finds it missing could only say so again and again.
 * @throws PopupError `usage`, `bad_file`, `unavailable`
 */
export async function checkSinks(sinks: readonly SinkName[], flags: QueueFlags): Promise<void> {
  const queues = sinks.filter((name) => name !== "sqlite");
  if (queues.length === 0) return;
  const { openQueueSink } = await import("../../queue/open.js");
  for (const name of queues) openQueueSink(name, flags);
}

/** Passwords belong into the environment or a file: a flag is seen by whoever looks at the processes. */
export function addQueueFlags(command: Command): Command {
  return command
    .option("--amqp-url <url>", "RabbitMQ: amqp:// or amqps:// (env POPUP_AMQP_URL, the better place for a password)")
    .option("--amqp-exchange <name>", "RabbitMQ: the topic exchange (env POPUP_AMQP_EXCHANGE; default popup.events)")
    .option("--amqp-queue <name>", "RabbitMQ: the queue that popup consume reads (env POPUP_AMQP_QUEUE; default popup.events)")
    .option("--kafka-brokers <list>", "Kafka: HOST:PORT, with commas between (env POPUP_KAFKA_BROKERS)")
    .option("--kafka-topic <name>", "Kafka: the topic (env POPUP_KAFKA_TOPIC; default popup.events)")
    .option("--kafka-config <file>", "Kafka: properties of librdkafka, name=value a line, as for TLS and SASL (env POPUP_KAFKA_CONFIG)");
}

export function addGroupFlag(command: Command): Command {
  return command.option("--kafka-group <name>", "Kafka: the consumer group (env POPUP_KAFKA_GROUP; default popup-consume)");
}
