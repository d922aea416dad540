/** `popup sync` */
import type { Command } from "commander";
import { openRedis } from "../../background.js";
import { invalid } from "../../errors.js";
import { incidentLogger, openLog } from "../../log.js";
import { Keys } from "../../redis/keys.js";
import { syncStore } from "../../sync/sync.js";
import { watchStore } from "../../sync/watch.js";
import { stepBack } from "../../priority.js";
import { contextOf, counted, runUntilStopped, withStore } from "../context.js";
import { progressBar } from "../progress.js";

interface Flags { watch?: boolean; interval: string; full?: boolean }

export function syncCommand(program: Command): void {
  program.command("sync").description("publish what is active in the store to Redis, as one atomic switch; restore counters that Redis lost")
    .option("--watch", "keep publishing: soon after every change, and at every interval")
    .option("--interval <seconds>", "how often --watch publishes in any case", "60")
    .option("--full", "send everything, and rebuild the users' counters from the events")
    .addHelpText("after", "\nExamples:\n  popup sync\n  popup sync --watch --interval 60\n  popup sync --full --redis redis://127.0.0.1:6379")
    .action((flags: Flags, command: Command) => {
      const context = contextOf(command);
      const interval = Number(flags.interval);
      if (!Number.isInteger(interval) || interval < 1 || interval > 3_600) throw invalid("--interval", `"${flags.interval}" is not a number of seconds`, "give 1 to 3600");
      return withStore(context, async (store) => {
        const handle = await openRedis(context.config);
        // After the embedded Redis may have been started: it is the customers' and stays in front.
        stepBack("sync");
        const keys = new Keys(context.config.prefix);
        try {
          if (flags.watch === true) {
            const log = openLog("sync", context.quiet ? "warn" : "info");
            const ending = new AbortController();
            const watching = watchStore(store, handle.redis, keys, {
              intervalMs: interval * 1_000, clock: Date.now, signal: ending.signal,
              onPublish: (result) => log.info(result, "published"),
              onRestoring: () => log.warn("Redis does not have all counters; they are restored"),
              onVerified: ({ outcome, users }) => (outcome === "restored" ? log.warn({ users }, "all counters are restored") : log.info("this Redis has all counters")),
              onIncident: incidentLogger(log),
            });
            await runUntilStopped(watching, () => ending.abort(), handle.redis);
            return;
          }
          const bar = progressBar("restoring users", context.quiet);
          const result = await syncStore(store, handle.redis, keys, Date.now, { full: flags.full === true, progress: bar.update }).finally(bar.stop);
          const { users_restored: users, ...published } = result;
          const more = users === 0 && flags.full !== true ? "" : `, counters of ${counted(users, "user")} restored`;
          context.print(users === 0 && flags.full !== true ? published : result, `${result.version}: ${counted(result.campaigns, "campaign")}, ${counted(result.audiences_sent, "audience")} sent${more}, ${result.seconds} s`);
        } finally {
          await handle.close();
        }
      });
    });
}
