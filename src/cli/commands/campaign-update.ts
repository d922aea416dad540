/** `popup campaign update` */
import type { Command } from "commander";
import { parseCampaignId } from "../../campaign.js";
import { PopupError } from "../../errors.js";
import { updateCampaign } from "../../store/campaign-changes.js";
import { addYes, type YesFlag } from "../confirm.js";
import { contextOf, withStore } from "../context.js";
import { addFieldFlags, confirmEnd, fieldsOf, printCampaign } from "./campaign-fields.js";

export function updateCommand(group: Command): void {
  addYes(addFieldFlags(group.command("update").description("change the fields that are given").argument("<id>", "campaign id"), false))
    .option("--no-exempt", "heed the caps of the setting user_caps again")
    .addHelpText(
      "after",
      "\nExamples:\n  popup campaign update 7 --priority 200 --cap 1/day --cap 5/total\n  popup campaign update 7 --test-user 1001 --test-user 1002",
    )
    .action((id: string, yes: YesFlag, command: Command) => {
      const context = contextOf(command);
      const flags = command.opts<Record<string, unknown>>();
      // Commander gives --no-exempt a default of true; only what was typed counts here.
      if (command.getOptionValueSource("exempt") === "default") delete flags.exempt;
      const input = fieldsOf(flags);
      if (Object.keys(input).length === 0)
        throw new PopupError("usage", "nothing to change was given", { hint: "name at least one field, such as --priority 200" });
      return withStore(context, async (store) => {
        if (input.status === "ended") await confirmEnd(store, parseCampaignId(id), yes);
        const campaign = updateCampaign(store, parseCampaignId(id), input);
        printCampaign(context, campaign, store.settings.get("timezone"), `campaign ${campaign.id} updated`);
      });
    });
}
