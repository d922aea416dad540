/** `popup key create | list | revoke` */
import type { Command } from "commander";
import type { ApiKey } from "../../store/api-keys.js";
import { formatLocal, formatTime } from "../../time.js";
import { addYes, confirm, type YesFlag } from "../confirm.js";
import { contextOf, table, timesIn, withStore } from "../context.js";

export function keyCommands(program: Command): void {
  const group = program
    .command("key")
    .description("API keys of systems that may ask for any user (popup serve --auth key)")
    .addHelpText("after", "\nExample:\n  popup key list");
  for (const add of [create, list, revoke]) add(group);
}

function create(group: Command): void {
  group
    .command("create")
    .description("make a key; it is printed once and kept nowhere")
    .argument("<name>", "the system that will hold it")
    .addHelpText("after", "\nExample:\n  popup key create mobile-backend")
    .action((name: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const { key, ...made } = store.transaction(() => store.apiKeys.create(name));
        context.print({ ...shown(made, store.settings.get("timezone")), key }, key);
        context.note(`API key ${made.id} (${name}): keep it now, it is not shown again`);
      });
    });
}

function list(group: Command): void {
  group
    .command("list")
    .description("every key, live and revoked")
    .addHelpText("after", "\nExample:\n  popup key list --json")
    .action((_options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const keys = store.apiKeys.list();
        const rows = keys.map((k) => [k.id, k.name, formatLocal(k.created_at, timezone), k.revoked_at === null ? "" : formatLocal(k.revoked_at, timezone)]);
        context.print(
          keys.map((key) => shown(key, timezone)),
          keys.length === 0 ? "no API keys" : `${table(["id", "name", "created", "revoked"], rows, { cut: ["name"] })}\n${timesIn(timezone)}`,
        );
      });
    });
}

function revoke(group: Command): void {
  addYes(group.command("revoke").description("end a key; running engines refuse it within two seconds").argument("<id|name>", "id or name of the key"))
    .addHelpText("after", "\nExample:\n  popup key revoke mobile-backend")
    .action((which: string, flags: YesFlag, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => {
        const { id, name } = store.apiKeys.findLive(which);
        await confirm(`Revoke the API key ${id} (${name})? Who holds it is refused then.`, flags);
        const key = store.transaction(() => store.apiKeys.revoke(which));
        context.print(shown(key, store.settings.get("timezone")), `API key ${key.id} (${key.name}) revoked`);
      });
    });
}

function shown({ id, name, created_at, revoked_at }: ApiKey, timezone: string): { id: string; name: string; created_at: string; revoked_at: string | null } {
  return { id, name, created_at: formatTime(created_at, timezone), revoked_at: revoked_at === null ? null : formatTime(revoked_at, timezone) };
}
