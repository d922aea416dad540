/** The flags of a campaign's fields, shared by create and update, and how a campaign is printed. */
import { type Command, Option } from "commander";
import { type Campaign, COUNT_ON, campaignToJson, REACTIONS, STATUSES } from "../../campaign.js";
import type { Store } from "../../store/store.js";
import { confirm, type YesFlag } from "../confirm.js";
import type { Context } from "../context.js";
import { offered } from "../offered.js";

interface FieldFlags {
  title?: string;
  body?: string;
  imageUrl?: string;
  actionUrl?: string;
  priority?: string;
  target?: string;
  start?: string;
  end?: string;
  cap?: string[];
  countOn?: string;
  stopAfter?: string[];
  exempt?: boolean;
  reserve?: string;
  status?: string;
  testUser?: string[];
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** @param required whether the fields without a default must be given */
export function addFieldFlags(command: Command, required: boolean): Command {
  const must = (flags: string, about: string): Option => new Option(flags, about).makeOptionMandatory(required);
  const clear = required ? "" : "; none for none";
  return command
    .addOption(must("--title <text>", "1 to 120 characters"))
    .addOption(must("--image-url <url>", "https:, or http: on localhost"))
    .addOption(must("--action-url <url>", "https: or a deep link of the app"))
    .addOption(must("--priority <n>", "whole number, higher wins"))
    .addOption(must("--target <expr>", "all, users, segment:NAME, with & | ! ( )"))
    .addOption(must("--start <time>", "ISO 8601; local to the setting timezone without an offset"))
    .addOption(must("--end <time>", "shown until just before this time"))
    .option("--cap <n/window>", `at most N per user in total, day, week, month, session, or 30s 15m 6h 7d; repeatable${clear}`, collect)
    .option("--body <text>", "up to 500 characters")
    .addOption(offered(new Option("--count-on <event>", "what counts as shown"), COUNT_ON))
    .addOption(offered(new Option("--stop-after <event>", `never shown again after that; repeatable${clear}`), REACTIONS, collect))
    .option("--exempt", "ignore the caps of the setting user_caps")
    .option("--reserve <seconds>", `how long a decision holds a place in the caps; without it as the setting reserve says${clear}`)
    .option("--test-user <id>", `who sees it while it is a draft; repeatable${clear}`, collect)
    .addOption(offered(new Option("--status <status>", "whether it is shown"), required ? ["draft", "active"] : STATUSES));
}

/** The fields that flags name, as `parseCampaign` takes them. */
export function fieldsOf(flags: FieldFlags): Record<string, unknown> {
  const list = (values: string[] | undefined): string[] | undefined => (values?.length === 1 && values[0] === "none" ? [] : values);
  const given = {
    title: flags.title,
    body: flags.body,
    image_url: flags.imageUrl,
    action_url: flags.actionUrl,
    priority: flags.priority === undefined ? undefined : /^[+-]?\d+$/.test(flags.priority) ? Number(flags.priority) : flags.priority,
    target: flags.target,
    start_time: flags.start,
    end_time: flags.end,
    caps: list(flags.cap),
    count_on: flags.countOn,
    stop_after: list(flags.stopAfter),
    exempt: flags.exempt,
    status: flags.status,
    reserve: flags.reserve === "none" ? null : flags.reserve,
    test_users: list(flags.testUser),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Asks before a campaign that runs is ended, for good. @throws PopupError `not_found`, `usage`, `conflict` */
export async function confirmEnd(store: Store, id: number, flags: YesFlag): Promise<void> {
  const { title, status } = store.campaigns.get(id);
  if (status === "active" || status === "paused") await confirm(`End campaign ${id} "${title}" for good?`, flags);
}

/** Prints a campaign: its JSON, or a line about it. */
export function printCampaign(context: Context, campaign: Campaign, timezone: string, text: string): void {
  context.print(campaignToJson(campaign, timezone), text);
  if (campaign.key !== undefined) context.note(`campaign ${campaign.id} is kept in files under the key ${campaign.key}: popup apply makes it what they say`);
}
