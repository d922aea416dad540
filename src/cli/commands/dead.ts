/** `popup dead list | show | retry | delete` */
import type { Command } from "commander";
import { PopupError } from "../../errors.js";
import type { DeadEvent } from "../../store/dead-events.js";
import type { Store } from "../../store/store.js";
import { formatTime } from "../../time.js";
import { retryDead } from "../../worker/retry.js";
import { contextOf, counted, table, withStore } from "../context.js";

export function deadCommands(program: Command): void {
  const group = program.command("dead").description("events that the worker set aside, because they could not be kept").addHelpText("after", "\nExample:\n  popup dead list");
  for (const add of [list, show, retry, remove]) add(group);
}

function list(group: Command): void {
  group.command("list").description("every dead event with the reason")
    .addHelpText("after", "\nExample:\n  popup dead list --json")
    .action((_options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const rows = store.deadEvents.list().map((letter) => row(store, letter));
        context.print(rows, rows.length === 0 ? "no dead events" : table(["id", "at", "reason"], rows.map(({ id, at, reason }) => [id, at, reason])));
      });
    });
}

function show(group: Command): void {
  group.command("show").description("one dead event, with what it holds").argument("<id>", "its id")
    .addHelpText("after", "\nExample:\n  popup dead show 1780000000000-0")
    .action((id: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const shown = row(store, find(store, id));
        context.print(shown, `${shown.id}  ${shown.at}\n${shown.reason}\n${shown.fields.join("\n")}`);
      });
    });
}

function retry(group: Command): void {
  group.command("retry").description("give dead events to the store again; without an id all of them").argument("[id...]", "their ids")
    .addHelpText("after", "\nExamples:\n  popup dead retry\n  popup dead retry 1780000000000-0")
    .action((ids: string[], _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const letters = ids.length === 0 ? store.deadEvents.list() : ids.map((id) => find(store, id));
        const left = retryDead(store, letters);
        const kept = letters.length - left.length;
        context.print({ kept, dead: left.length }, `${counted(kept, "event")} kept`);
        if (left.length > 0) throw new PopupError("conflict", `${counted(left.length, "event")} could not be kept`, { hint: "popup dead list says why" });
      });
    });
}

function remove(group: Command): void {
  group.command("delete").description("give dead events up; the audit log keeps them").argument("<id...>", "their ids")
    .addHelpText("after", "\nExample:\n  popup dead delete 1780000000000-0")
    .action((ids: string[], _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
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

interface DeadRow { readonly id: string; readonly at: string; readonly reason: string; readonly fields: readonly string[] }

/** The time is that of its stream entry. */
function row(store: Store, { streamId, reason, fields }: DeadEvent): DeadRow {
  return { id: streamId, at: formatTime(Number(streamId.split("-")[0]), store.settings.get("timezone")), reason, fields };
}

function find(store: Store, id: string): DeadEvent {
  const letter = store.deadEvents.find(id);
  if (!letter) throw new PopupError("not_found", `there is no dead event "${id}"`, { hint: "popup dead list shows those there are" });
  return letter;
}
