/** `popup campaign delete` */
import type { Command } from "commander";
import { parseCampaignId } from "../../campaign.js";
import { deleteCampaign } from "../../store/campaign-changes.js";
import { addYes, confirm, type YesFlag } from "../confirm.js";
import { contextOf, counted, withStore } from "../context.js";

export function deleteCommand(group: Command): void {
  addYes(group.command("delete").description("remove a draft or ended campaign with its user list; its events stay").argument("<id>", "campaign id"))
    .addHelpText("after", "\nExample:\n  popup campaign delete 7")
    .action((text: string, flags: YesFlag, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => {
        const { id, title, status } = store.campaigns.get(parseCampaignId(text));
        const users = store.audiences.find({ kind: "users", campaignId: id });
        // Another is refused below, whatever is answered here.
        if (status === "draft" || status === "ended")
          await confirm(`Delete campaign ${id} "${title}"${users ? ` with its list of ${counted(users.integers + users.strings, "user")}` : ""}?`, flags);
        deleteCampaign(store, id);
        context.print({ id, deleted: true }, `campaign ${id} deleted`);
      });
    });
}
