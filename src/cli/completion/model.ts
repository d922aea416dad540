/** What a shell has to know of the program to complete its command lines, read from the program itself. */
import type { Argument, Command, Option } from "commander";
import { everyCommand } from "../cli-page.js";

/** What may stand in a place: one of some words, a file, a folder, or something that only its user knows. */
export type Value = { readonly kind: "words"; readonly words: readonly string[] } | { readonly kind: "file" | "folder" | "any" };

export interface CompletedOption {
  /** `--mode`, `-h`. */
  readonly names: readonly string[];
  readonly about: string;
  /** The program's: it may stand with every command, and is told of the program only. */
  readonly shared: boolean;
  /** What follows it; undefined for a flag. */
  readonly value?: Value;
}

export interface CompletedCommand {
  /** `popup campaign create` */
  readonly path: string;
  readonly about: string;
  readonly members: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly CompletedOption[];
  /** In order; the last goes for all that follow where it may be repeated. */
  readonly args: readonly Value[];
  readonly repeats: boolean;
}

export function completedCommands(program: Command): CompletedCommand[] {
  return everyCommand(program).map(({ name, command }) => {
    const help = command.createHelp();
    return {
      path: name,
      about: command.description(),
      members: help.visibleCommands(command).map((member) => ({ name: member.name(), about: member.description() })),
      options: help.visibleOptions(command).map((option) => optionOf(option, program.options.includes(option))),
      args: command.registeredArguments.map((argument) => valueOf(argument, argument.name())),
      repeats: command.registeredArguments.at(-1)?.variadic ?? false,
    };
  });
}

function optionOf(option: Option, shared: boolean): CompletedOption {
  const names = [option.long, option.short].filter((name) => name !== undefined && name !== null);
  const takes = option.required || option.optional;
  return { names, about: option.description, shared, ...(takes && { value: valueOf(option, /[<[]([\w:/|%-]+)/.exec(option.flags)?.[1] ?? "") }) };
}

/** @param name what the placeholder in the help says: `<file>` is a file */
function valueOf({ argChoices }: Option | Argument, name: string): Value {
  if (argChoices) return { kind: "words", words: argChoices };
  if (/\bfile\b/.test(name)) return { kind: "file" };
  return { kind: /\bdir\b/.test(name) ? "folder" : "any" };
}

/** A command and an option of it, `popup users load --mode`; of one that every command has, `undefined --json`. */
export interface Place {
  readonly path: string | undefined;
  readonly name: string;
}

export function placesOf({ path }: CompletedCommand, { names, shared }: CompletedOption): Place[] {
  return names.map((name) => ({ path: shared ? undefined : path, name }));
}

/** After these a word is a value. */
export function takingValue(commands: readonly CompletedCommand[]): Place[] {
  return commands.flatMap((command) => command.options.flatMap((option) => (option.value ? placesOf(command, option) : [])));
}

/** The flags of the options that may stand with a command. */
export function flagsOf(commands: readonly CompletedCommand[], { options }: CompletedCommand): CompletedOption[] {
  return [...new Set([...options, ...(commands[0]?.options ?? []).filter(({ shared }) => shared)])];
}

/** For a script: a text in single quotes, as bash and zsh read them. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The commands as a pattern of bash and zsh for `$cmd $word`. */
export const pathPattern = (commands: readonly CompletedCommand[]): string =>
  commands
    .slice(1)
    .map(({ path }) => quoted(path))
    .join("|");

/** The place of an argument as a pattern of bash and zsh for `$cmd:$args`; the last one that may be repeated stands for all behind it. */
export const argumentPattern = ({ path, args, repeats }: CompletedCommand, index: number): string =>
  `${quoted(`${path}:`)}${repeats && index === args.length - 1 ? "*" : index}`;

/** A place as a pattern of bash and zsh for `$cmd $word`. */
export const placePattern = ({ path, name }: Place): string => (path === undefined ? `*${quoted(` ${name}`)}` : quoted(`${path} ${name}`));
