/** `popup settings list | get | set` */
import type { Command } from "commander";
import { SETTING_RULES } from "../../store/settings.js";
import { contextOf, table, withStore } from "../context.js";

export function settingsCommands(program: Command): void {
  const group = program.command("settings").description("settings of the engine").addHelpText("after", "\nExample:\n  popup settings set timezone Asia/Jakarta");
  group.command("list").description("every setting")
    .addHelpText("after", "\nExample:\n  popup settings list")
    .action((_options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const values = Object.fromEntries(Object.keys(SETTING_RULES).map((name) => [name, store.settings.get(name)]));
        context.print(values, table(["setting", "value", "about"], Object.entries(SETTING_RULES).map(([name, { about }]) => [name, values[name] ?? "", about]), { wrap: "about" }));
      });
    });
  group.command("get").description("one setting").argument("<name>", "setting")
    .addHelpText("after", "\nExample:\n  popup settings get timezone")
    .action((name: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => context.print({ [name]: store.settings.get(name) }, store.settings.get(name)));
    });
  group.command("set").description("change a setting").argument("<name>", "setting").argument("<value>", "value")
    .addHelpText("after", "\nExample:\n  popup settings set user_caps 1/30m,3/day")
    .action((name: string, text: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const value = store.transaction(() => store.settings.set(name, text));
        context.print({ [name]: value }, `${name} = ${value}`);
      });
    });
}
