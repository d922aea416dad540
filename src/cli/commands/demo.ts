/** `popup demo` */
import type { Command } from "commander";
import { runDemo } from "../../demo.js";
import { contextOf } from "../context.js";

export function demoCommand(program: Command): void {
  program
    .command("demo")
    .description("the whole loop on this machine in a temporary folder: create, load, publish, decide, count, report")
    .addHelpText("after", "\nExample:\n  popup demo")
    .action(async (_options, command: Command) => {
      await runDemo((line) => void process.stdout.write(`${line}\n`), contextOf(command).config);
    });
}
