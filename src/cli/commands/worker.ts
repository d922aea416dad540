/** `popup worker` */
import { Option, type Command } from "commander";
import { openRedis } from "../../background.js";
import { incidentLogger, openLog } from "../../log.js";
import { Keys } from "../../redis/keys.js";
import { sqliteSink } from "../../worker/sink.js";
import { Worker } from "../../worker/worker.js";
import { stepBack } from "../../priority.js";
import { contextOf, counted, runUntilStopped, withStore } from "../context.js";

export function workerCommand(program: Command): void {
  program.command("worker").description("carry events from the Redis stream to a sink")
    .addOption(new Option("--sink <sink>", "where events go").choices(["sqlite"]).default("sqlite"))
    .option("--once", "carry what is there, then end")
    .addHelpText("after", "\nExamples:\n  popup worker\n  popup worker --once")
    .action((flags: { once?: boolean }, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => {
        const handle = await openRedis(context.config);
        // After the embedded Redis may have been started: it is the customers' and stays in front.
        stepBack("worker");
        const log = openLog("worker", context.quiet ? "warn" : "info");
        let written = 0;
        const worker = new Worker(handle.redis, new Keys(context.config.prefix), sqliteSink(store.events), {
          onIncident: incidentLogger(log),
          onBatch: (added, dead) => {
            written += added;
            if (dead > 0) log.warn({ dead }, "stream entries that are no events were set aside in dead_events");
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
      });
    });
}
