/** `popup worker` */
import { Option, type Command } from "commander";
import { openRedis } from "../../background.js";
import { invalid } from "../../errors.js";
import { incidentLogger, openLog, type Logger } from "../../log.js";
import { stepBack } from "../../priority.js";
import { Keys } from "../../redis/keys.js";
import { sqliteSink } from "../../worker/sink.js";
import { Worker } from "../../worker/worker.js";
import { contextOf, counted, runUntilStopped, withStore } from "../context.js";

/** How long a locked store may hold the process up at a time, ms: it answers signals in between. The worker tries again by itself. */
const STORE_BUSY_MS = 1_000;

export function workerCommand(program: Command): void {
  program.command("worker").description("carry events from the Redis stream to a sink")
    .addOption(new Option("--sink <sink>", "where events go").choices(["sqlite"]).default("sqlite"))
    .option("--once", "carry what is there, then end")
    .option("--claim-after <seconds>", "take over what another worker has held for this long", "15")
    .addHelpText("after", "\nExamples:\n  popup worker\n  popup worker --once")
    .action((flags: { once?: boolean; claimAfter: string }, command: Command) => {
      const context = contextOf(command);
      const claimAfter = Number(flags.claimAfter);
      if (!Number.isInteger(claimAfter) || claimAfter < 1 || claimAfter > 3_600) throw invalid("--claim-after", `"${flags.claimAfter}" is not a number of seconds`, "give 1 to 3600");
      return withStore(context, async (store) => {
        const handle = await openRedis(context.config);
        // After the embedded Redis may have been started: it is the customers' and stays in front.
        stepBack("worker");
        const log = openLog("worker", context.quiet ? "warn" : "info");
        let written = 0;
        const worker = new Worker(handle.redis, new Keys(context.config.prefix), sqliteSink(store.events), {
          claimAfterMs: claimAfter * 1_000,
          onIncident: incidentLogger(log),
          onBacklog: backlogLogger(log),
          onBatch: ({ added, dead }) => {
            written += added;
            if (dead > 0) log.warn({ dead }, "events were set aside in dead_events");
          },
        });
        try {
          if (flags.once === true) {
            // The first step may only make the group.
            await worker.step();
            while ((await worker.step()) > 0);
            context.print({ written }, `${counted(written, "event")} written`);
            return;
          }
          await runUntilStopped(worker.run(), () => worker.stop(), handle.redis);
        } finally {
          await handle.close();
        }
      }, flags.once === true ? {} : { busyMs: STORE_BUSY_MS });
    });
}

function backlogLogger(log: Logger): (entries: number, tooMany: boolean) => void {
  return (entries, tooMany) => {
    if (tooMany) log.warn({ entries }, "the stream grows: too many entries await the worker");
    else log.warn({ entries }, "the worker has caught up with the stream");
  };
}
