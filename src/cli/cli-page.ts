/** The reference page of the command line, made from every command's own help. */
import type { Command } from "commander";

const HEAD = `# The command line

Made from the commands' \`--help\` by \`npm run docs\`; do not edit. In a clone, \`popup\` is \`node bin/popup.js\`.

The options of \`popup\` itself stand before or after those of any command. Exit codes: 0 done, 1 failed,
2 wrong usage, 3 what was asked for waits for the approval of another user. Results go to stdout, remarks and logs to stderr.
`;

/** Every command with its full name, a group before its members. */
export function everyCommand(program: Command): { name: string; command: Command }[] {
  const walk = (command: Command, before: string): { name: string; command: Command }[] => {
    const name = `${before}${command.name()}`;
    return [{ name, command }, ...command.commands.flatMap((member) => walk(member, `${name} `))];
  };
  return walk(program, "");
}

/** The help of a command as `--help` prints it, without the global options, which the page shows once. */
export function helpOf(command: Command): string {
  let text = "";
  command.configureHelp({ ...command.configureHelp(), showGlobalOptions: false });
  command.configureOutput({ writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text.trimEnd();
}

/** @param program a program of its own: its help settings are changed */
export function cliPage(program: Command): string {
  return [HEAD, ...everyCommand(program).map(({ name, command }) => `## ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`)].join("\n");
}
