/** Completion for fish, with what each command and option is about. */
import { type CompletedCommand, type CompletedOption, takingValue, type Value } from "./model.js";

export function fishScript(commands: readonly CompletedCommand[]): string {
  return `# Completion of popup for fish, made by: popup completion fish
function __popup_at
    set -l cmd popup
    set -l args 0
    set -l value no
    for word in (commandline -opc)[2..-1]
        if test $value = yes
            set value no
            continue
        end
        switch "$cmd $word"
            case ${commands
              .slice(1)
              .map(({ path }) => quoted(path))
              .join(" ")}
                set cmd "$cmd $word"
                set args 0
            case ${takingValue(commands)
              .map(({ path = "*", name }) => quoted(`${path} ${name}`))
              .join(" ")}
                set value yes
            case '* -*'
            case '*'
                set args (math $args + 1)
        end
    end
    test "$cmd" = $argv[1]; and begin
        test (count $argv) = 1; or test $argv[2] = $args; or test $argv[2] = any
    end
end
complete -c popup -e
complete -c popup -f
${commands.flatMap(lines).join("\n")}`;
}

function lines({ path, members, options, args, repeats }: CompletedCommand): string[] {
  const at = (place?: string): string => `complete -c popup -n ${quoted(`__popup_at "${path}"${place === undefined ? "" : ` ${place}`}`)}`;
  return [
    ...members.map(({ name, about }) => `${at("0")} -a ${name} -d ${quoted(about)}`),
    ...options.map((option) => `${option.shared ? "complete -c popup" : at()} ${optionText(option)}`),
    ...args.flatMap((value, index) => (value.kind === "any" ? [] : [`${at(repeats && index === args.length - 1 ? "any" : String(index))} ${offer(value)}`])),
  ];
}

function optionText({ names, about, value }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
  return `${flags}${value ? ` -r ${offer(value)}` : ""} -d ${quoted(about)}`;
}

function offer(value: Value): string {
  if (value.kind === "words") return `-f -a ${quoted(value.words.join(" "))}`;
  return value.kind === "file" ? "-F" : value.kind === "folder" ? "-f -a '(__fish_complete_directories (commandline -ct))'" : "-f";
}

/** In fish a backslash means something inside single quotes, too. */
const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
