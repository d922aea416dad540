/** `popup audit` */
import type { Command } from "commander";
import { audienceLabel } from "../../audience.js";
import { parseCampaignId } from "../../campaign.js";
import type { AuditEntry } from "../../store/audit.js";
import { formatLocal, formatTime } from "../../time.js";
import { contextOf, timesIn, withStore } from "../context.js";
import { parsePeriod } from "../period.js";
import { changesText } from "../plan-text.js";
import { wholeNumber } from "./admin-flag.js";

interface Flags {
  segment?: string;
  setting?: string;
  from?: string;
  to?: string;
  limit: string;
}

const MOST = 1_000_000;
const WIDTH = 80;

export function auditCommand(program: Command): void {
  program
    .command("audit")
    .description("who changed what and when, the newest first, field by field")
    .argument("[id]", "campaign id: only it and its user list")
    .option("--segment <name>", "only this segment")
    .option("--setting <name>", "only this setting")
    .option("--from <time>", "from this time on")
    .option("--to <time>", "until just before this time")
    .option("--limit <n>", "as many changes at most", "50")
    .addHelpText("after", "\nExamples:\n  popup audit\n  popup audit 7 --from 2026-11-01\n  popup audit --setting approvals --json")
    .action((id: string | undefined, flags: Flags, command: Command) => {
      const context = contextOf(command);
      const subjects = subjectsOf(id, flags);
      const limit = wholeNumber("--limit", flags.limit, 1, MOST);
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const { from, to } = parsePeriod(flags, timezone);
        // Written one by one: a store that is years old has more of them than belongs into memory.
        let shown = 0;
        for (const entry of store.audit.newest({ subjects, from, to, limit })) {
          const first = shown++ === 0;
          process.stdout.write(
            context.json
              ? `${first ? "[" : ","}${JSON.stringify({ ...entry, at: formatTime(entry.at, timezone) })}`
              : `${first ? "" : "\n"}${entryText(entry, timezone)}\n`,
          );
        }
        if (context.json) process.stdout.write(shown === 0 ? "[]\n" : "]\n");
        else process.stdout.write(shown === 0 ? "no changes\n" : `\n${timesIn(timezone)}\n`);
        if (shown === limit) context.note(`the newest ${limit}; --limit shows more`);
      });
    });
}

function subjectsOf(id: string | undefined, { segment, setting }: Flags): string[] | null {
  const campaignId = id === undefined ? undefined : parseCampaignId(id);
  const campaign = campaignId === undefined ? [] : [`campaign:${campaignId}`, audienceLabel({ kind: "users", campaignId })];
  const subjects = [
    ...campaign,
    ...(segment === undefined ? [] : [audienceLabel({ kind: "segment", name: segment })]),
    ...(setting === undefined ? [] : [`setting:${setting}`]),
  ];
  return subjects.length === 0 ? null : subjects;
}

function entryText({ at, who, what, subject, before, after, plan }: AuditEntry, timezone: string): string {
  const [old, now] = [fieldsOf(before, timezone), fieldsOf(after, timezone)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const changes = names
    .map((field) => ({ field, before: old[field] ?? null, after: now[field] ?? null }))
    .filter((one) => JSON.stringify(one.before) !== JSON.stringify(one.after));
  return [...headOf(`${formatLocal(at, timezone)}  ${who}  ${what}`, subject), ...(plan === null ? [] : [`    by plan ${plan}`]), ...changesText(changes)].join(
    "\n",
  );
}

function headOf(head: string, subject: string): string[] {
  return head.length + subject.length + 2 <= WIDTH ? [`${head}  ${subject}`] : [head, `    ${subject}`];
}

/** What was written down, field by field; its times, which are kept in UTC, in the zone. */
function fieldsOf(value: unknown, timezone: string): Record<string, unknown> {
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) return { value };
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, /_time$/.test(name) && typeof one === "string" ? formatLocal(Date.parse(one), timezone) : one]),
  );
}
