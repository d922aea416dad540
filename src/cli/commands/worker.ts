/** `popup worker` */
import { type Command, Option } from "commander";
import { openConfiguredStore, openRedis } from "../../background.js";
import type { Logger } from "../../log.js";
import { stepBack } from "../../priority.js";
import { Keys } from "../../redis/keys.js";
import type { AdminServer } from "../../serve/admin.js";
import { sqliteSink } from "../../worker/sink.js";
import { contextOf, counted, openPatiently, runUntilStopped, withStore } from "../context.js";
import { parseAdmin, wholeNumber } from "./admin-flag.js";

/** How long a locked store may hold the process up at a time, ms: it answers signals in between. The worker tries again by itself. */
const STORE_BUSY_MS = 1_000;

export function workerCommand(program: Command): void {
  program
    .command("worker")
    .description("carry events from the Redis stream to a sink")
    .addOption(new Option("--sink <sink>", "where events go").choices(["sqlite"]).default("sqlite"))
    .option("--once", "carry what is there, then end")
    .option("--claim-after <seconds>", "take over what another worker has held for this long", "15")
    .option("--admin <host:port>", "serve the worker's own /metrics there", "off")
    .addHelpText("after", "\nExamples:\n  popup worker\n  popup worker --once\n  popup worker --admin 127.0.0.1:9465")
    .action(async (flags: { once?: boolean; claimAfter: string; admin: string }, command: Command) => {
      const context = contextOf(command);
      const claimAfter = wholeNumber("--claim-after", flags.claimAfter, 1, 3_600);
      const address = parseAdmin(flags.admin);
      const { incidentLogger, openLog } = await import("../../log.js");
      const log = openLog("worker", context.logLevel);
      const incident = incidentLogger(log);
      return withStore(
        context,
        async (store) => {
          const handle = await openPatiently(() => openRedis(context.config), incident);
          // After the embedded Redis may have been started: it is the customers' and stays in front.
          stepBack("worker");
          const [{ offerMetrics }, { WorkerMetrics }, { Worker }] = await Promise.all([
            import("../../serve/own-metrics.js"),
            import("../../worker/metrics.js"),
            import("../../worker/worker.js"),
          ]);
          const metrics = new WorkerMetrics(() => store.deadEvents.count());
          let written = 0;
          const worker = new Worker(handle.redis, new Keys(context.config.prefix), sqliteSink(store.events), {
            claimAfterMs: claimAfter * 1_000,
            onIncident: (cause) => {
              incident(cause);
              metrics.trouble(cause);
            },
            onFailure: () => metrics.failed(),
            onBacklog: backlogLogger(log),
            onBatch: (batch) => {
              written += batch.added;
              metrics.batch(batch);
              if (batch.dead > 0) log.warn({ dead: batch.dead }, "events were set aside in dead_events");
            },
          });
          let admin: AdminServer | undefined;
          try {
            if (flags.once === true) {
              // The first step may only make the group.
              await worker.step();
              while ((await worker.step()) > 0);
              context.print({ written }, `${counted(written, "event")} written`);
              return;
            }
            admin = await offerMetrics(metrics.registry, address);
            await runUntilStopped(worker.run(), () => worker.stop(), handle.redis);
          } finally {
            await admin?.close();
            await handle.close();
          }
        },
        () => openPatiently(() => openConfiguredStore(context.config, flags.once === true ? {} : { busyMs: STORE_BUSY_MS }), incident),
      );
    });
}

function backlogLogger(log: Logger): (entries: number, tooMany: boolean) => void {
  return (entries, tooMany) => {
    if (tooMany) log.warn({ entries }, "the stream grows: too many entries await the worker");
    else log.warn({ entries }, "the worker has caught up with the stream");
  };
}
