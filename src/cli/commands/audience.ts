/** `popup audience size | overlap | check`: what is in the audiences, asked of the store. */
import type { Command } from "commander";
import { type AudienceRef, audienceLabel, shortLabel } from "../../audience.js";
import { parseCampaignId } from "../../campaign.js";
import { invalid, PopupError } from "../../errors.js";
import { checkUser } from "../../reach/check.js";
import { overlapOf, reachOf } from "../../reach/reach.js";
import type { Store } from "../../store/store.js";
import { mentionsUsers, parseTarget, SEGMENT_NAME, segmentsOf } from "../../target.js";
import { formatLocal, formatTime } from "../../time.js";
import { isUserId, USER_ID_RULE } from "../../user-id.js";
import { contextOf, counted, table, timesIn, withStore } from "../context.js";

/** More make a table that nobody reads. */
const MOST_COMPARED = 30;

export function audienceCommands(program: Command): void {
  const group = program
    .command("audience")
    .description("what is in the audiences: sizes, overlaps, one user")
    .addHelpText("after", '\nExample:\n  popup audience size "segment:payroll & !segment:staff"');
  for (const add of [size, overlap, check]) add(group);
}

function size(group: Command): void {
  group
    .command("size")
    .description("how many users a target expression means, exactly")
    .argument("<expr>", "as --target of a campaign")
    .option("--campaign <id>", "the campaign whose own list `users` means")
    .addHelpText("after", '\nExamples:\n  popup audience size "segment:payroll & !segment:staff"\n  popup audience size users --campaign 7')
    .action((expr: string, flags: { campaign?: string }, command: Command) => {
      const context = contextOf(command);
      const target = parseTarget(expr);
      if (mentionsUsers(target) && flags.campaign === undefined)
        throw invalid("--campaign", "is missing", "the expression says users: name the campaign whose list is meant");
      return withStore(context, (store) => {
        const campaignId = flags.campaign === undefined ? null : store.campaigns.get(parseCampaignId(flags.campaign)).id;
        for (const name of segmentsOf(target)) known(store, { kind: "segment", name });
        const reach = store.snapshot(() => reachOf(store, { target, campaignId }));
        context.print(
          { target: expr, ...reach },
          reach.users === null ? `everybody but ${counted(reach.everyone_but ?? 0, "user")}` : counted(reach.users, "user"),
        );
      });
    });
}

function overlap(group: Command): void {
  group
    .command("overlap")
    .description("how many users each two audiences have in common")
    .argument("<audience...>", "segment names, and campaign:ID for a campaign's own list")
    .addHelpText("after", "\nExample:\n  popup audience overlap payroll staff campaign:7")
    .action((names: string[], _flags, command: Command) => {
      const context = contextOf(command);
      const refs = names.map(refOf);
      if (refs.length < 2 || refs.length > MOST_COMPARED) throw invalid("audience", `${refs.length} are named`, `name 2 to ${MOST_COMPARED}`);
      return withStore(context, (store) => {
        for (const ref of refs) known(store, ref);
        const common = store.snapshot(() => overlapOf(store, refs));
        const labels = refs.map(shortLabel);
        const pairs = labels.flatMap((a, row) => labels.slice(row).map((b, n) => ({ a, b, users: common[row]?.[row + n] ?? 0 })));
        context.print(
          pairs,
          table(
            ["", ...labels],
            common.map((row, n) => [labels[n] ?? "", ...row]),
          ),
        );
      });
    });
}

function check(group: Command): void {
  group
    .command("check")
    .description("the audiences a user is in, and the load that put them there")
    .argument("<user>", "user id")
    .addHelpText("after", "\nExample:\n  popup audience check 1001")
    .action((user: string, _flags, command: Command) => {
      const context = contextOf(command);
      if (!isUserId(user)) throw invalid("user", `"${user.slice(0, 80)}" is not a user id`, USER_ID_RULE);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const memberships = store.snapshot(() => checkUser(store, user));
        const found = memberships.map(({ ref, version, load }) => ({
          audience: shortLabel(ref),
          version,
          at: load === null ? null : formatTime(load.at, timezone),
          who: load?.who ?? null,
          what: load?.what ?? null,
          file: load?.file ?? null,
        }));
        const rows = memberships.map(({ ref, version, load }) => [
          shortLabel(ref),
          version,
          load === null ? "not kept any more" : formatLocal(load.at, timezone),
          load?.who ?? "",
          load?.what ?? "",
          load?.file ?? "",
        ]);
        const listed = table(["audience", "since version", "loaded", "by", "command", "file"], rows, { cut: ["audience", "by", "file"] });
        context.print(found, found.length === 0 ? `user ${user} is in no audience` : `${listed}\n${timesIn(timezone)}`);
      });
    });
}

function refOf(name: string): AudienceRef {
  const list = /^campaign:(\d+)(?::users)?$/.exec(name);
  if (list) return { kind: "users", campaignId: parseCampaignId(list[1] ?? "") };
  const segment = name.replace(/^segment:/, "");
  if (!SEGMENT_NAME.test(segment)) throw invalid("audience", `"${name}" names no audience`, "write a segment's name, or campaign:ID");
  return { kind: "segment", name: segment };
}

function known(store: Store, ref: AudienceRef): void {
  if (store.audiences.find(ref)) return;
  throw new PopupError("not_found", `there is no audience ${audienceLabel(ref)}`, {
    hint: "popup segment list shows the segments, popup campaign show ID whether a campaign has a list",
  });
}
