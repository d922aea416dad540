/** `popup worker` */
import type { Command } from "commander";
import type { QueueFlags } from "../../queue/settings.js";
import { contextOf } from "../context.js";
import { parseAdmin, wholeNumber } from "./admin-flag.js";
import { addQueueFlags, addSinkFlag, parseSinks } from "./queue-flags.js";

interface Flags extends QueueFlags {
  sink?: string[];
  once?: boolean;
  claimAfter: string;
  admin: string;
}

export function workerCommand(program: Command): void {
  addQueueFlags(
    addSinkFlag(program.command("worker").description("carry events from the Redis stream to a sink, or to several that do not wait for each other"))
      .option("--once", "carry what is there, then end")
      .option("--claim-after <seconds>", "take over what another worker has held for this long", "15")
      .option("--admin <host:port>", "serve the worker's own /metrics there", "off"),
  )
    .addHelpText(
      "after",
      "\nExamples:\n  popup worker\n  popup worker --once\n  popup worker --admin 127.0.0.1:9465\n  popup worker --sink rabbitmq --amqp-url amqp://127.0.0.1\n  popup worker --sink sqlite --sink kafka --kafka-brokers 127.0.0.1:9092",
    )
    .action(async (flags: Flags, command: Command) => {
      const context = contextOf(command);
      const sinks = parseSinks(flags.sink);
      const claimAfterMs = wholeNumber("--claim-after", flags.claimAfter, 1, 3_600) * 1_000;
      const admin = parseAdmin(flags.admin);
      const { runWorkers } = await import("../worker-run.js");
      await runWorkers(context, { sinks, queues: flags, claimAfterMs, once: flags.once === true, admin });
    });
}
