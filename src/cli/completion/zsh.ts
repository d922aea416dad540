/** Completion for zsh, with what each command and option is about. */
import { argumentPattern, type CompletedCommand, flagsOf, pathPattern, placePattern, placesOf, quoted, takingValue, type Value } from "./model.js";

const INDENT = "    ";

export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef popup
# Completion of popup for zsh, made by: popup completion zsh
_popup() {
  local cmd=popup cur=$words[CURRENT] prev=$words[CURRENT-1] word
  local -i i=2 args=0
  local -a offered
  while (( i < CURRENT )); do
    word=$words[i]
    case "$cmd $word" in
      (${pathPattern(commands)}) cmd="$cmd $word"; args=0 ;;
      (${takingValue(commands).map(placePattern).join("|")}) (( i++ )) ;;
      (*' -'*) ;;
      (*) (( args++ )) ;;
    esac
    (( i++ ))
  done
  if [[ $cur == --*=* ]]; then
    prev=\${cur%%=*}
    compset -P '*='
  fi
  case "$cmd $prev" in
${commands.flatMap(valueCases).join("\n")}
  esac
  if [[ $cur == -* ]]; then
    case "$cmd" in
${commands
  .map(
    (command) =>
      `${INDENT}  (${quoted(command.path)}) offered=(${flagsOf(commands, command)
        .flatMap(({ names, about }) => names.map((name) => described(name, about)))
        .join(" ")}) ;;`,
  )
  .join("\n")}
    esac
    _describe -o option offered
    return
  fi
  case "$cmd:$args" in
${commands.flatMap(wordCases).join("\n")}
  esac
}
if [[ $funcstack[1] == _popup ]]; then _popup "$@"; else compdef _popup popup; fi`;
}

function valueCases(command: CompletedCommand): string[] {
  return command.options.flatMap((option) =>
    option.value ? [`${INDENT}(${placesOf(command, option).map(placePattern).join("|")}) ${offer(option.value)}; return ;;`] : [],
  );
}

function wordCases(command: CompletedCommand): string[] {
  const { path, members, args } = command;
  if (members.length > 0)
    return [`${INDENT}(${quoted(`${path}:0`)}) offered=(${members.map(({ name, about }) => described(name, about)).join(" ")}); _describe command offered ;;`];
  return args.map((value, index) => `${INDENT}(${argumentPattern(command, index)}) ${offer(value)} ;;`);
}

const OFFERS = { file: "_files", folder: "_files -/", any: ":" } as const;

function offer(value: Value): string {
  return value.kind === "words" ? `compadd -- ${value.words.map(quoted).join(" ")}` : OFFERS[value.kind];
}

/** A colon ends the name. */
const described = (name: string, about: string): string => quoted(`${name.replaceAll(":", "\\:")}:${about}`);
