/** `history`, `diff` and `rollback` of an audience: the same for segments and for campaigns' user lists. */
import type { Command } from "commander";
import type { AudienceRef } from "../../audience.js";
import { openConfiguredStore } from "../../background.js";
import { invalid } from "../../errors.js";
import type { AudienceVersion } from "../../store/audiences.js";
import { formatLocal, formatTime } from "../../time.js";
import { contextOf, counted, table, timesIn, withStore } from "../context.js";
import { LOAD_BUSY_MS } from "./load-flags.js";

/** What names the audience on the command line. */
export interface VersionedNoun {
  readonly argument: string;
  readonly about: string;
  readonly example: string;
  readonly refOf: (text: string) => AudienceRef;
  readonly command: string;
}

const SAMPLES = 5;
const SHOWN_SHA = 12;

export function addVersionCommands(group: Command, noun: VersionedNoun): void {
  const example = (rest: string): string => `\nExample:\n  popup ${group.name()} ${rest}`;
  group
    .command("history")
    .description("the versions that are kept: when, by whom, from which file")
    .argument(noun.argument, noun.about)
    .addHelpText("after", example(`history ${noun.example}`))
    .action((text: string, _flags, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const versions = store.audiences.history(noun.refOf(text));
        const rows = versions.map((version) => historyRow(version, timezone));
        const listed = table(["version", "loaded", "by", "how", "ids", "added", "removed", "rejected", "file", "sha256"], rows, { cut: ["by", "file"] });
        context.print(
          versions.map((version) => ({ ...version, at: formatTime(version.at, timezone) })),
          `${listed}\n${timesIn(timezone)}`,
        );
      });
    });
  group
    .command("diff")
    .description("what came and went between two versions, with a few of the ids")
    .argument(noun.argument, noun.about)
    .argument("<from>", "version")
    .argument("<to>", "version")
    .addHelpText("after", example(`diff ${noun.example} 3 4`))
    .action((text: string, from: string, to: string, _flags, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const diff = store.snapshot(() => store.audiences.diff(noun.refOf(text), versionOf(from), versionOf(to), SAMPLES));
        const line = (n: number, verb: string, ids: readonly string[]): string =>
          `${counted(n, "id")} ${verb}${n === 0 ? "" : `: ${ids.join(", ")}${n > ids.length ? ", …" : ""}`}`;
        context.print(
          { from: versionOf(from), to: versionOf(to), ...diff },
          [line(diff.added, "added", diff.added_ids), line(diff.removed, "removed", diff.removed_ids)].join("\n"),
        );
      });
    });
  group
    .command("rollback")
    .description("make a new version that holds what an earlier one held")
    .argument(noun.argument, noun.about)
    .argument("<version>", "the earlier one")
    .addHelpText("after", example(`rollback ${noun.example} 3`))
    .action((text: string, version: string, _flags, command: Command) => {
      const context = contextOf(command);
      return withStore(
        context,
        (store) => {
          const made = store.transaction(() => store.audiences.rollBack(noun.refOf(text), versionOf(version), noun.command));
          context.print(
            made,
            `version ${made.version} holds what version ${versionOf(version)} held: ${counted(made.integers + made.strings, "id")}, ${made.added.toLocaleString("en-US")} added, ${made.removed.toLocaleString("en-US")} removed`,
          );
        },
        () => openConfiguredStore(context.config, { busyMs: LOAD_BUSY_MS }),
      );
    });
}

function historyRow(version: AudienceVersion, timezone: string): (string | number)[] {
  const { integers, strings, added, removed, rejected } = version;
  return [
    version.version,
    formatLocal(version.at, timezone),
    version.who,
    version.mode,
    integers + strings,
    added,
    removed,
    rejected,
    version.file ?? "",
    version.sha256?.slice(0, SHOWN_SHA) ?? "",
  ];
}

function versionOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw invalid("version", `"${text}" is not a version`, "popup segment history or popup users history shows those that are kept");
  return Number(text);
}
