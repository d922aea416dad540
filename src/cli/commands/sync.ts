/** `popup sync` */
import type { Command } from "commander";
import { openConfiguredStore, openRedis } from "../../background.js";
import { stepBack } from "../../priority.js";
import { Keys } from "../../redis/keys.js";
import { contextOf, counted, openPatiently, runUntilStopped, withStore } from "../context.js";
import { progressBar } from "../progress.js";
import { parseAdmin, wholeNumber } from "./admin-flag.js";

interface Flags {
  watch?: boolean;
  interval: string;
  full?: boolean;
  admin: string;
}

export function syncCommand(program: Command): void {
  program
    .command("sync")
    .description("publish what is active in the store to Redis, as one atomic switch; restore counters that Redis lost")
    .option("--watch", "keep publishing: soon after every change, and at every interval")
    .option("--interval <seconds>", "how often --watch publishes in any case", "60")
    .option("--full", "send everything, and rebuild the users' counters from the events")
    .option("--admin <host:port>", "with --watch: serve sync's own /metrics there", "off")
    .addHelpText("after", "\nExamples:\n  popup sync\n  popup sync --watch --interval 60\n  popup sync --full --redis redis://127.0.0.1:6379")
    .action(async (flags: Flags, command: Command) => {
      const context = contextOf(command);
      const interval = wholeNumber("--interval", flags.interval, 1, 3_600);
      const address = parseAdmin(flags.admin);
      const { incidentLogger, openLog } = await import("../../log.js");
      const log = openLog("sync", context.logLevel);
      const incident = incidentLogger(log);
      return withStore(
        context,
        async (store) => {
          const handle = await openPatiently(() => openRedis(context.config), incident);
          // After the embedded Redis may have been started: it is the customers' and stays in front.
          stepBack("sync");
          const keys = new Keys(context.config.prefix);
          try {
            if (flags.watch === true) {
              const [{ offerMetrics }, { SyncMetrics }, { watchStore }] = await Promise.all([
                import("../../serve/own-metrics.js"),
                import("../../sync/metrics.js"),
                import("../../sync/watch.js"),
              ]);
              const metrics = new SyncMetrics(Date.now());
              const admin = await offerMetrics(metrics.registry, address);
              const ending = new AbortController();
              const watching = watchStore(store, handle.redis, keys, {
                intervalMs: interval * 1_000,
                clock: Date.now,
                signal: ending.signal,
                onPublish: (result) => {
                  log.info(result, "published");
                  metrics.published(result, Date.now());
                },
                onCurrent: () => metrics.current(Date.now()),
                onRestoring: () => log.warn("Redis does not have all counters; they are restored"),
                onVerified: ({ outcome, users }) =>
                  outcome === "restored" ? log.warn({ users }, "all counters are restored") : log.info("this Redis has all counters"),
                onIncident: (cause) => {
                  incident(cause);
                  metrics.trouble(cause);
                },
              });
              await runUntilStopped(watching, () => ending.abort(), handle.redis).finally(() => admin.close());
              return;
            }
            const { syncStore } = await import("../../sync/sync.js");
            const bar = progressBar("restoring users", context.quiet);
            const result = await syncStore(store, handle.redis, keys, Date.now, { full: flags.full === true, progress: bar.update }).finally(bar.stop);
            const { users_restored: users, ...published } = result;
            const more = users === 0 && flags.full !== true ? "" : `, counters of ${counted(users, "user")} restored`;
            context.print(
              users === 0 && flags.full !== true ? published : result,
              `${result.version}: ${counted(result.campaigns, "campaign")}, ${counted(result.audiences_sent, "audience")} sent${more}, ${result.seconds} s`,
            );
          } finally {
            await handle.close();
          }
        },
        () => openPatiently(() => openConfiguredStore(context.config), incident),
      );
    });
}
