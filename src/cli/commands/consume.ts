/** `popup consume` */
import { setTimeout as delay } from "node:timers/promises";
import { type Command, Option } from "commander";
import { openConfiguredStore } from "../../background.js";
import { QUEUES, type QueueFlags, type QueueName } from "../../queue/settings.js";
import { contextOf, counted, openPatiently, untilStopped, withStore } from "../context.js";
import { parseAdmin } from "./admin-flag.js";
import { addGroupFlag, addQueueFlags } from "./queue-flags.js";

interface Flags extends QueueFlags {
  from: QueueName;
  once?: boolean;
  admin: string;
}

/** How long a locked store may hold the process up at a time, ms: it answers signals in between. */
const STORE_BUSY_MS = 1_000;
/** With --once: a queue that has given nothing for so long is empty. A consumer group of Kafka needs some seconds until it is given anything. */
const EMPTY_MS = 5_000;
/** What is in hand at the end is given this long, ms. */
const FINISH_MS = 5_000;

export function consumeCommand(program: Command): void {
  addGroupFlag(
    addQueueFlags(
      program
        .command("consume")
        .description("read a queue that popup worker fills, and write the events into a store for reports")
        .addOption(new Option("--from <queue>", "the queue").choices([...QUEUES]).makeOptionMandatory())
        .addOption(new Option("--into <store>", "where events go: the store of the data folder").choices(["sqlite"]).default("sqlite"))
        .option("--once", "end when the queue is empty")
        .option("--admin <host:port>", "serve its own /metrics there, those of a worker", "off"),
    ),
  )
    .addHelpText(
      "after",
      "\nExamples:\n  popup consume --from rabbitmq --amqp-url amqp://127.0.0.1\n  popup consume --from kafka --kafka-brokers 127.0.0.1:9092 --once",
    )
    .action(async (flags: Flags, command: Command) => {
      const context = contextOf(command);
      const address = parseAdmin(flags.admin);
      const [{ Consumer }, { receiverOf }, { incidentLogger, openLog }, { stepBack }, { offerMetrics }, { WorkerMetrics }] = await Promise.all([
        import("../../queue/consumer.js"),
        import("../../queue/open.js"),
        import("../../log.js"),
        import("../../priority.js"),
        import("../../serve/own-metrics.js"),
        import("../../worker/metrics.js"),
      ]);
      const open = receiverOf(flags.from, flags);
      const log = openLog("consume", context.logLevel);
      const incident = incidentLogger(log);
      stepBack("worker");
      const once = flags.once === true;
      return withStore(
        context,
        async (store) => {
          const metrics = new WorkerMetrics();
          metrics.watchDead(() => store.deadEvents.count());
          const counts = metrics.of("sqlite");
          let written = 0;
          const consumer = new Consumer(flags.from, open, store.events, {
            onIncident: (cause) => {
              incident(cause);
              counts.trouble(cause);
            },
            onFailure: () => counts.failed(),
            onBatch: (batch) => {
              written += batch.added;
              counts.batch(batch);
              if (batch.dead > 0) log.warn({ dead: batch.dead }, "events were set aside");
            },
          });
          try {
            if (once) {
              while ((await consumer.step(EMPTY_MS)) > 0);
              context.print({ written }, `${counted(written, "event")} written`);
              return;
            }
            const admin = await offerMetrics(metrics.registry, address);
            const work = consumer.run();
            const stopped = untilStopped().then(() => {
              consumer.stop();
              return Promise.race([work, delay(FINISH_MS, undefined, { ref: false })]);
            });
            await Promise.race([work, stopped]).finally(() => admin.close());
          } finally {
            await consumer.close();
          }
        },
        () => openPatiently(() => openConfiguredStore(context.config, once ? {} : { busyMs: STORE_BUSY_MS }), incident),
      );
    });
}
