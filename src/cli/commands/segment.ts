/** `popup segment load | import | list | delete`, and the versions of segments */
import type { Command } from "commander";
import { redisBytes } from "../../encoding.js";
import { invalid, PopupError } from "../../errors.js";
import type { Audience } from "../../store/audiences.js";
import type { Store } from "../../store/store.js";
import { parseTarget, SEGMENT_NAME, SEGMENT_NAME_RULE, segmentsOf } from "../../target.js";
import { formatLocal, formatTime } from "../../time.js";
import { addYes, confirm, type YesFlag } from "../confirm.js";
import { contextOf, counted, table, timesIn, withStore } from "../context.js";
import { addVersionCommands } from "./audience-versions.js";
import { addLoadFlags, type LoadFlags, loadLine, runLoad } from "./load-flags.js";

export function segmentCommands(program: Command): void {
  const group = program.command("segment").description("named segments of users").addHelpText("after", "\nExample:\n  popup segment list");
  for (const add of [load, importBy, list, remove]) add(group);
  addVersionCommands(group, {
    argument: "<name>",
    about: "segment name",
    example: "payroll",
    refOf: (name) => ({ kind: "segment", name }),
    command: "segment.rollback",
  });
}

function load(group: Command): void {
  addLoadFlags(
    group
      .command("load")
      .description("load a segment from CSV")
      .argument("<name>", SEGMENT_NAME_RULE)
      .argument("<file>", "a CSV file with a header, or - for standard input"),
  )
    .addHelpText("after", "\nExample:\n  popup segment load payroll payroll.csv")
    .action((name: string, file: string, flags: LoadFlags, command: Command) => {
      const context = contextOf(command);
      if (!SEGMENT_NAME.test(name)) throw invalid("name", `"${name}" is not a segment name`, SEGMENT_NAME_RULE);
      return runLoad(context, flags, async (store, options) => {
        const { loadAudience } = await import("../../load/load.js");
        const result = await loadAudience(store, { kind: "segment", name }, file, options, "segment.load");
        context.print(result, loadLine(result, flags.mode));
      });
    });
}

function importBy(group: Command): void {
  addLoadFlags(
    group
      .command("import")
      .description("one segment for each value of a column, from one long file")
      .argument("<file>", "a CSV file with a header, or - for standard input"),
  )
    .requiredOption("--by <column>", "the column whose values name the segments")
    .addHelpText("after", "\nExample:\n  popup segment import crm.csv --by job")
    .action((file: string, flags: LoadFlags & { by: string }, command: Command) => {
      const context = contextOf(command);
      return runLoad(context, flags, async (store, options) => {
        const { importSegments } = await import("../../load/load.js");
        const { results, rows, rejected, rejects_file: rejects } = await importSegments(store, file, flags.by, options);
        const total = `${counted(results.length, "segment")} from ${counted(rows, "row")}, ${rejected.toLocaleString("en-US")} rejected${rejects === null ? "" : ` (see ${rejects})`}`;
        context.print(results, [...results.map((result) => loadLine(result, flags.mode)), total].join("\n"));
      });
    });
}

function list(group: Command): void {
  group
    .command("list")
    .description("every segment: ids, encoding, about how many bytes it takes in Redis by itself")
    .addHelpText("after", "\nExample:\n  popup segment list --json")
    .action((_options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const segments = store.audiences
          .list()
          .flatMap(({ ref, version, encoding, loadedAt, ...ids }) =>
            ref.kind === "segment"
              ? [{ name: ref.name, ids: ids.integers + ids.strings, encoding, redis_bytes: redisBytes(encoding, ids), version, loaded_at: loadedAt }]
              : [],
          );
        const rows = segments.map((s) => [s.name, s.ids, s.encoding, s.redis_bytes, s.version, formatLocal(s.loaded_at, timezone)]);
        const listed = table(["name", "ids", "encoding", "bytes in Redis", "version", "loaded"], rows, { cut: ["name"] });
        context.print(
          segments.map((s) => ({ ...s, loaded_at: formatTime(s.loaded_at, timezone) })),
          segments.length === 0 ? "no segments" : `${listed}\n${timesIn(timezone)}`,
        );
      });
    });
}

function remove(group: Command): void {
  addYes(group.command("delete").description("remove a segment that no campaign needs, with its versions").argument("<name>", "segment name"))
    .option("--force", "remove it even so: campaigns that name it then match nobody")
    .addHelpText("after", "\nExample:\n  popup segment delete payroll")
    .action((name: string, flags: YesFlag & { force?: boolean }, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => {
        const { integers, strings } = checkDeletion(store, name, flags.force === true);
        await confirm(`Delete segment ${name} with its ${counted(integers + strings, "user")} and every version of it?`, flags);
        store.transaction(() => {
          checkDeletion(store, name, flags.force === true);
          store.audiences.delete({ kind: "segment", name }, "segment.delete");
        });
        context.print({ name, deleted: true }, `segment ${name} deleted`);
      });
    });
}

/** @throws PopupError `not_found`, `conflict` when a campaign that is not ended names it */
function checkDeletion(store: Store, name: string, force: boolean): Audience {
  const segment = store.audiences.get({ kind: "segment", name });
  const users = store.campaigns.list().filter((c) => c.status !== "ended" && segmentsOf(parseTarget(c.target)).includes(name));
  if (users.length > 0 && !force) {
    throw new PopupError("conflict", `segment ${name} is named by campaign ${users.map((c) => c.id).join(", ")}`, {
      hint: "change or end these first, or say --force: they will then match nobody",
    });
  }
  return segment;
}
