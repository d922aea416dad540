/** `popup plan` and `popup apply`: campaigns as files. */
import type { Command } from "commander";
import { addYes, type YesFlag } from "../confirm.js";
import { contextOf, withStore } from "../context.js";

export function planCommands(program: Command): void {
  program
    .command("plan")
    .description("compare a folder of campaign files with the store: what would be created, changed, ended")
    .argument("<dir>", "folder of .yaml, .yml and .json files")
    .addHelpText(
      "after",
      "\nOnly campaigns that are kept in files are compared; those made by hand are left\nalone. It changes nothing.\n\nExample:\n  popup plan fixtures/campaigns",
    )
    .action((dir: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => (await import("../plan-run.js")).runPlan(context, store, dir));
    });
  addYes(
    program
      .command("apply")
      .description("bring the store to what a folder of campaign files wants, in one transaction")
      .argument("<dir>", "folder of .yaml, .yml and .json files"),
  )
    .option("--plan <hash>", "the plan that is meant, as popup plan has told it: refused when anything has changed since; nothing is asked")
    .addHelpText(
      "after",
      "\nA campaign whose file is gone is ended, a draft whose file is gone is deleted.\nExit code 3: it waits for the approval of another user (setting approvals).\n\nExamples:\n  popup apply fixtures/campaigns\n  popup apply fixtures/campaigns --yes",
    )
    .action((dir: string, flags: YesFlag & { plan?: string }, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => (await import("../plan-run.js")).runApply(context, store, dir, flags));
    });
}
