/** `popup campaign create` */
import type { Command } from "commander";
import { createCampaign } from "../../store/campaign-changes.js";
import { contextOf, withStore } from "../context.js";
import { addFieldFlags, fieldsOf, printCampaign } from "./campaign-fields.js";

export function createCommand(group: Command): void {
  addFieldFlags(group.command("create").description("create a campaign; prints its id"), true)
    .addHelpText(
      "after",
      `
Example:
  popup campaign create --title "Payday cashback" \\
    --image-url https://bank.example/payday.png \\
    --action-url bankapp:offers/payday --priority 100 --target all \\
    --start 2026-01-01 --end 2027-01-01 \\
    --cap 1/day --cap 3/total --status active`,
    )
    .action((_options, command: Command) => {
      const context = contextOf(command);
      return withStore(context, (store) => {
        const campaign = createCampaign(store, fieldsOf(command.opts()));
        printCampaign(context, campaign, store.settings.get("timezone"), String(campaign.id));
        if (campaign.status === "draft")
          context.note(
            `campaign ${campaign.id} is a draft${campaign.test_users.length > 0 ? " that only its test users see" : ""}; popup campaign activate ${campaign.id} makes it live`,
          );
      });
    });
}
