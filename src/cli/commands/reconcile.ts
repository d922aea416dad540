/** `popup reconcile` */
import type { Command } from "commander";
import { openRedis } from "../../background.js";
import { PopupError } from "../../errors.js";
import { stepBack } from "../../priority.js";
import { Keys } from "../../redis/keys.js";
import type { Difference } from "../../sync/reconcile.js";
import { contextOf, counted, withStore } from "../context.js";
import { progressBar } from "../progress.js";

export function reconcileCommand(program: Command): void {
  program
    .command("reconcile")
    .description("compare what Redis has counted with the events in the store, user by user")
    .option("--fix", "make the records anew in which something differs")
    .addHelpText("after", "\nIt exits 1 when something differs and is not mended.\n\nExamples:\n  popup reconcile\n  popup reconcile --fix --json")
    .action((flags: { fix?: boolean }, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => {
        const handle = await openRedis(context.config);
        stepBack("sync");
        const { reconcile } = await import("../../sync/reconcile.js");
        const bar = progressBar("comparing users", context.quiet);
        const differences: Difference[] = [];
        try {
          const result = await reconcile(store, handle.redis, new Keys(context.config.prefix), Date.now(), {
            fix: flags.fix === true,
            progress: bar.update,
            onDifference: (difference) => differences.push(difference),
          }).finally(bar.stop);
          const lines = differences.map(
            (d) =>
              `user ${d.user_id}, ${d.campaign_id === null ? "all campaigns" : `campaign ${d.campaign_id}`}: ${d.what} ${d.redis || "none"} in Redis, ${d.events || "none"} by the events`,
          );
          const verdict =
            result.differences === 0
              ? "nothing differs"
              : `${counted(result.differences, "difference")} of ${counted(result.users_differing, "user")}${flags.fix === true ? `, ${counted(result.fixed, "record")} made anew` : ""}`;
          context.print({ ...result, found: differences }, [...lines, `${counted(result.users, "user")} compared: ${verdict}`].join("\n"));
          if (result.differences > 0 && flags.fix !== true) {
            throw new PopupError("conflict", "Redis and the events differ", { hint: "popup reconcile --fix makes these records anew from the events" });
          }
        } finally {
          await handle.close();
        }
      });
    });
}
