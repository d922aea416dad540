/** `popup campaign activate | pause | end` */
import type { Command } from "commander";
import { parseCampaignId, type Status } from "../../campaign.js";
import { setStatus } from "../../store/campaign-changes.js";
import { addYes, type YesFlag } from "../confirm.js";
import { contextOf, withStore } from "../context.js";
import { confirmEnd, printCampaign } from "./campaign-fields.js";

const VERBS: readonly (readonly [string, Status, string])[] = [
  ["activate", "active", "make a draft or paused campaign live"],
  ["pause", "paused", "take an active campaign out; activate brings it back"],
  ["end", "ended", "end a campaign for good; its counts and reports stay"],
];

export function statusCommands(group: Command): void {
  for (const [verb, status, about] of VERBS) {
    const made = group.command(verb).description(about).argument("<id>", "campaign id");
    (status === "ended" ? addYes(made) : made)
      .addHelpText("after", `\nExample:\n  popup campaign ${verb} 7`)
      .action((id: string, flags: YesFlag, command: Command) => {
        const context = contextOf(command);
        return withStore(context, async (store) => {
          if (status === "ended") await confirmEnd(store, parseCampaignId(id), flags);
          const campaign = setStatus(store, parseCampaignId(id), status, `campaign.${verb}`);
          printCampaign(context, campaign, store.settings.get("timezone"), `campaign ${campaign.id} is ${status}`);
        });
      });
  }
}
