/** `popup repartition` */
import type { Command } from "commander";
import { openRedis } from "../../background.js";
import { parsePartitions } from "../../partition.js";
import { stepBack } from "../../priority.js";
import { Keys } from "../../redis/keys.js";
import { contextOf, counted, withStore } from "../context.js";
import { progressBar } from "../progress.js";
import { wholeNumber } from "./admin-flag.js";

export function repartitionCommand(program: Command): void {
  program
    .command("repartition")
    .description("move all users to another number of partitions, with what they have seen")
    .argument("<partitions>", "how many there shall be: 1 for one Redis, some ten to twenty for each master of a cluster")
    .option("--wait <seconds>", "how long the sinks may take for what is in the event stream; then all is left as it was", "60")
    .addHelpText(
      "after",
      "\nMeanwhile no popup is shown, and reports wait in the spool. Ended at any point,\nit goes on where it was when it is run again.\n\nExamples:\n  popup repartition 64\n  popup repartition 1 --wait 300",
    )
    .action((text: string, flags: { wait: string }, command: Command) => {
      const context = contextOf(command);
      const partitions = parsePartitions(text);
      const wait = wholeNumber("--wait", flags.wait, 1, 86_400);
      return withStore(context, async (store) => {
        const handle = await openRedis(context.config);
        stepBack("sync");
        const [{ repartition }, { sqliteSink }, { Worker }] = await Promise.all([
          import("../../sync/repartition.js"),
          import("../../worker/sink.js"),
          import("../../worker/worker.js"),
        ]);
        const keys = new Keys(context.config.prefix);
        const sink = sqliteSink(store.events);
        const worker = new Worker(handle.redis, keys, sink);
        const bar = progressBar("restoring users", context.quiet);
        try {
          const result = await repartition(store, handle.redis, keys, partitions, Date.now, {
            waitMs: wait * 1_000,
            sink: { name: sink.name, carry: () => worker.step() },
            say: context.note,
            progress: bar.update,
          }).finally(bar.stop);
          const { from, to, users, keys_removed: removed, seconds } = result;
          context.print(
            result,
            from === to
              ? `${counted(to, "partition")}: nothing to move`
              : `${counted(from, "partition")} to ${counted(to, "partition")}: ${counted(users, "user")} moved, ${counted(removed, "key")} of before removed, ${seconds} s`,
          );
        } finally {
          await handle.close();
        }
      });
    });
}
