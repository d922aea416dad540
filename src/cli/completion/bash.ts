/** Completion for bash, from 3.2 on (which macOS has). */
import { argumentPattern, type CompletedCommand, flagsOf, pathPattern, placePattern, placesOf, quoted, takingValue, type Value } from "./model.js";

const INDENT = "    ";

export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# Completion of popup for bash, made by: popup completion bash
_popup_offer() {
  case "$1" in
    file) compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur")) ;;
    folder) compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -d -- "$cur")) ;;
    words) COMPREPLY=($(compgen -W "$2" -- "$cur")) ;;
  esac
}
_popup() {
  local cmd=popup cur prev word i args=0
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  # What is written as --option=value comes in three words.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$cmd $word" in
      ${pathPattern(commands)}) cmd="$cmd $word"; args=0 ;;
      ${takingValue(commands).map(placePattern).join("|")})
        if [[ \${COMP_WORDS[i+1]} == = ]]; then ((i++)); fi
        ((i++)) ;;
      *' -'*) ;;
      *) ((args++)) ;;
    esac
  done
  case "$cmd $prev" in
${commands.flatMap(valueCases).join("\n")}
  esac
  if [[ $cur == -* ]]; then
    case "$cmd" in
${commands
  .map(
    (command) =>
      `${INDENT}  ${quoted(command.path)}) _popup_offer words ${quoted(
        flagsOf(commands, command)
          .flatMap(({ names }) => names)
          .join(" "),
      )} ;;`,
  )
  .join("\n")}
    esac
    return
  fi
  case "$cmd:$args" in
${commands.flatMap(wordCases).join("\n")}
  esac
}
complete -F _popup popup`;
}

function valueCases(command: CompletedCommand): string[] {
  return command.options.flatMap((option) =>
    option.value ? [`${INDENT}${placesOf(command, option).map(placePattern).join("|")}) ${offer(option.value)}; return ;;`] : [],
  );
}

function wordCases(command: CompletedCommand): string[] {
  const { path, members, args } = command;
  if (members.length > 0) return [`${INDENT}${quoted(`${path}:0`)}) _popup_offer words ${quoted(members.map(({ name }) => name).join(" "))} ;;`];
  return args.map((value, index) => `${INDENT}${argumentPattern(command, index)}) ${offer(value)} ;;`);
}

function offer(value: Value): string {
  return value.kind === "words" ? `_popup_offer words ${quoted(value.words.join(" "))}` : `_popup_offer ${value.kind}`;
}
