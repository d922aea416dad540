/** `popup dead list | show | retry | delete` */
import type { Command } from "commander";
import { PopupError } from "../../errors.js";
import type { DeadEvent } from "../../event.js";
import type { Store } from "../../store/store.js";
import { formatLocal, formatTime } from "../../time.js";
import { addYes, confirm, type YesFlag } from "../confirm.js";
import { contextOf, counted, table, timesIn, withStore } from "../context.js";

export function deadCommands(program: Command): void {
  const group = program
    .command("dead")
    .description("events that the worker set aside, because they could not be kept")
    .addHelpText("after", "\nExample:\n  popup dead list");
  for (const add of [list, show, retry, remove]) add(group);
}

function list(group: Command): void {
  group
    .command("list")
    .description("every dead event with the reason")
    .addHelpText("after", "\nExample:\n  popup dead list --json")
    .action((_options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const letters = store.deadEvents.list();
        const rows = letters.map((letter) => [letter.streamId, formatLocal(timeOf(letter), timezone), letter.reason]);
        context.print(
          letters.map((letter) => shown(letter, timezone)),
          rows.length === 0 ? "no dead events" : `${table(["id", "at", "reason"], rows, { wrap: "reason" })}\n${timesIn(timezone)}`,
        );
      });
    });
}

function show(group: Command): void {
  group
    .command("show")
    .description("one dead event, with what it holds")
    .argument("<id>", "its id")
    .addHelpText("after", "\nExample:\n  popup dead show 1780000000000-0")
    .action((id: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const letter = find(store, id);
        context.print(
          shown(letter, timezone),
          `${letter.streamId}  ${formatLocal(timeOf(letter), timezone)} ${timezone}\n${letter.reason}\n${letter.fields.join("\n")}`,
        );
      });
    });
}

function retry(group: Command): void {
  group
    .command("retry")
    .description("give dead events to the store again; without an id all of them")
    .argument("[id...]", "their ids")
    .addHelpText("after", "\nExamples:\n  popup dead retry\n  popup dead retry 1780000000000-0")
    .action((ids: string[], _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => {
        const letters = ids.length === 0 ? store.deadEvents.list() : ids.map((id) => find(store, id));
        const { retryDead } = await import("../../worker/retry.js");
        const left = retryDead(store, letters);
        const kept = letters.length - left.length;
        context.print({ kept, dead: left.length }, `${counted(kept, "event")} kept`);
        if (left.length > 0) throw new PopupError("conflict", `${counted(left.length, "event")} could not be kept`, { hint: "popup dead list says why" });
      });
    });
}

function remove(group: Command): void {
  addYes(group.command("delete").description("give dead events up; the audit log keeps them").argument("<id...>", "their ids"))
    .addHelpText("after", "\nExample:\n  popup dead delete 1780000000000-0")
    .action((ids: string[], flags: YesFlag, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => {
        for (const id of ids) find(store, id);
        await confirm(`Give up ${counted(ids.length, "dead event")}?`, flags);
        store.transaction(() => {
          for (const letter of ids.map((id) => find(store, id))) {
            store.deadEvents.remove(letter.streamId);
            store.audit.record("dead.delete", `dead:${letter.streamId}`, letter, null);
          }
        });
        context.print({ deleted: ids.length }, `${counted(ids.length, "dead event")} deleted`);
      });
    });
}

interface DeadRow {
  readonly id: string;
  readonly at: string;
  readonly reason: string;
  readonly fields: readonly string[];
}

/** That of its stream entry, epoch ms. */
function timeOf({ streamId }: DeadEvent): number {
  return Number(streamId.split("-")[0]);
}

function shown(letter: DeadEvent, timezone: string): DeadRow {
  return { id: letter.streamId, at: formatTime(timeOf(letter), timezone), reason: letter.reason, fields: letter.fields };
}

function find(store: Store, id: string): DeadEvent {
  const letter = store.deadEvents.find(id);
  if (!letter) throw new PopupError("not_found", `there is no dead event "${id}"`, { hint: "popup dead list shows those there are" });
  return letter;
}
