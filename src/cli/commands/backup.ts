/** `popup backup` */
import { resolve } from "node:path";
import type { Command } from "commander";
import { storePath } from "../../config.js";
import { stepBack } from "../../priority.js";
import { contextOf, withStore } from "../context.js";

export function backupCommand(program: Command): void {
  program
    .command("backup")
    .description("copy the store to a file while the engine works with it")
    .argument("<file>", "where to; it must not exist")
    .addHelpText(
      "after",
      "\nThe copy is of one moment, checked, and one file.\n\nExamples:\n  popup backup popup-2026-11-24.db\n  popup --json backup backup.db",
    )
    .action(async (file: string, _flags: object, command: Command) => {
      const context = contextOf(command);
      const target = resolve(file);
      // Opened like every other: a store of an older version is copied as this version's.
      await withStore(context, async () => {
        stepBack("load");
        const { backupStore } = await import("../../store/backup.js");
        const started = performance.now();
        const bytes = await backupStore(storePath(context.config), target);
        const seconds = Math.round(performance.now() - started) / 1_000;
        context.print({ file: target, bytes, seconds }, `${target}: ${bytes.toLocaleString("en-US")} bytes, ${seconds} s`);
      });
    });
}
