/** `popup campaign`: the group. */
import type { Command } from "commander";
import { createCommand } from "./campaign-create.js";
import { deleteCommand } from "./campaign-delete.js";
import { exportCommand } from "./campaign-export.js";
import { importCommand } from "./campaign-import.js";
import { listCommand, showCommand } from "./campaign-list.js";
import { statusCommands } from "./campaign-status.js";
import { updateCommand } from "./campaign-update.js";

export function campaignCommands(program: Command): void {
  const group = program.command("campaign").description("create and steer campaigns");
  for (const add of [createCommand, listCommand, showCommand, updateCommand, statusCommands, deleteCommand, importCommand, exportCommand]) add(group);
  group.addHelpText("after", "\nExample:\n  popup campaign list");
}
