/** `popup settings list | get | set` */
import { Argument, type Command } from "commander";
import { changeSetting } from "../../store/setting-changes.js";
import { SETTING_RULES } from "../../store/settings.js";
import { formatTime } from "../../time.js";
import { contextOf, table, withStore } from "../context.js";
import { Exit, WAITING } from "../exit.js";
import { offered } from "../offered.js";
import { requestText } from "../plan-text.js";

export function settingsCommands(program: Command): void {
  const group = program
    .command("settings")
    .description("settings of the engine")
    .addHelpText("after", "\nExample:\n  popup settings set timezone Asia/Jakarta");
  group
    .command("list")
    .description("every setting")
    .addHelpText("after", "\nExample:\n  popup settings list")
    .action((_options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const values = Object.fromEntries(Object.keys(SETTING_RULES).map((name) => [name, store.settings.get(name)]));
        context.print(
          values,
          table(
            ["setting", "value", "about"],
            Object.entries(SETTING_RULES).map(([name, { about }]) => [name, values[name] ?? "", about]),
            { wrap: "about" },
          ),
        );
      });
    });
  group
    .command("get")
    .description("one setting")
    .addArgument(nameArgument())
    .addHelpText("after", "\nExample:\n  popup settings get timezone")
    .action((name: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => context.print({ [name]: store.settings.get(name) }, store.settings.get(name)));
    });
  group
    .command("set")
    .description("change a setting")
    .addArgument(nameArgument())
    .argument("<value>", "value")
    .addHelpText("after", "\nExample:\n  popup settings set user_caps 1/30m,3/day")
    .action((name: string, text: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const { value, waiting } = changeSetting(store, name, text);
        if (waiting === null) return context.print({ [name]: value }, `${name} = ${value}`);
        const timezone = store.settings.get("timezone");
        const needed = store.approvals.needed();
        const { hash, requested_by, at, approved_by } = waiting;
        context.print(
          { [name]: store.settings.get(name), waiting: { hash, requested_by, at: formatTime(at, timezone), approved_by, needed } },
          `${name} is ${store.settings.get(name) || "none"} still, and is to be ${value || "none"}\n${requestText(waiting, needed, timezone)}`,
        );
        throw new Exit(WAITING);
      });
    });
}

const nameArgument = (): Argument => offered(new Argument("<name>", "setting"), Object.keys(SETTING_RULES));
