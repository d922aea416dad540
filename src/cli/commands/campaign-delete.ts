/** `popup campaign delete` */
import type { Command } from "commander";
import { parseCampaignId } from "../../campaign.js";
import { deleteCampaign } from "../../store/campaign-changes.js";
import { contextOf, withStore } from "../context.js";

export function deleteCommand(group: Command): void {
  group.command("delete").description("remove a draft or ended campaign with its user list; its events stay").argument("<id>", "campaign id")
    .addHelpText("after", "\nExample:\n  popup campaign delete 7")
    .action((text: string, _options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const id = parseCampaignId(text);
        deleteCampaign(store, id);
        context.print({ id, deleted: true }, `campaign ${id} deleted`);
      });
    });
}
