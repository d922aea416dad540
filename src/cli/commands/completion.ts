/** `popup completion` */
import { Argument, type Command } from "commander";
import { bashScript } from "../completion/bash.js";
import { fishScript } from "../completion/fish.js";
import { completedCommands } from "../completion/model.js";
import { zshScript } from "../completion/zsh.js";
import { contextOf } from "../context.js";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof SCRIPTS;

export function completionCommand(program: Command): void {
  program
    .command("completion")
    .description("print a script that completes popup's commands, options and their values in a shell")
    .addArgument(new Argument("<shell>", "which").choices(Object.keys(SCRIPTS)))
    .addHelpText(
      "after",
      `
Made from this very program. To have it in every shell, put a line into a file:
  ~/.bashrc                   eval "$(popup completion bash)"
  ~/.zshrc, after compinit    eval "$(popup completion zsh)"
  ~/.config/fish/config.fish  popup completion fish | source

Example:
  popup completion bash`,
    )
    .action((shell: Shell, _options, command: Command) => {
      const script = SCRIPTS[shell](completedCommands(program));
      contextOf(command).print({ shell, script }, script);
    });
}
