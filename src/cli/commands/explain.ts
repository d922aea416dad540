/** `popup explain` */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { openRedis } from "../../background.js";
import { storePath } from "../../config.js";
import { invalid } from "../../errors.js";
import { readToken } from "../../event.js";
import { type Candidate, type Explanation, explanationToJson, reasonText } from "../../explanation.js";
import { formatLocal, parseTime } from "../../time.js";
import { isUserId, USER_ID_RULE } from "../../user-id.js";
import { type Context, contextOf, table, withStore } from "../context.js";

export function explainCommand(program: Command): void {
  program
    .command("explain")
    .description("what a user would see, and of every active campaign why not, and when next")
    .argument("<user>", "user id")
    .option("--at <time>", "as if it were this time; what the user has seen is that of now")
    .option("--session <id>", "in this login session, as the app names it with session_id; without it session caps do not hold back")
    .addHelpText(
      "after",
      "\nIt asks the published campaigns in Redis, by the rules of a decision, and\nchanges nothing.\n\nExamples:\n  popup explain 1001\n  popup explain 1001 --at 2026-12-24T18:00 --json",
    )
    .action(async (user: string, flags: { at?: string; session?: string }, command: Command) => {
      const context = contextOf(command);
      if (!isUserId(user)) throw invalid("user", `"${user.slice(0, 80)}" is not a user id`, USER_ID_RULE);
      const sessionId = readToken("--session", flags.session);
      const handle = await openRedis(context.config);
      try {
        const [{ explain, publishedTimezone }, { Keys }, { keysOfUser }] = await Promise.all([
          import("../../redis/explain.js"),
          import("../../redis/keys.js"),
          import("../../redis/layout.js"),
        ]);
        const all = new Keys(context.config.prefix);
        const keys = await keysOfUser(handle.redis, all, user);
        const now = Date.now();
        const at = flags.at === undefined ? now : parseTime(flags.at, await publishedTimezone(handle.redis, keys), "--at");
        // A server that runs for this command alone is looked at by nobody; by the next engine it would be.
        const explanation = await explain(handle.redis, keys, { userId: user, sessionId, at, now, trusting: handle.owned });
        context.print(explanationToJson(explanation), textOf(explanation));
        remark(context, explanation, now);
        await remarkChanges(context, handle, all, now);
      } finally {
        await handle.close();
      }
    });
}

type Handle = Awaited<ReturnType<typeof openRedis>>;

function remark({ note }: Context, { at, recovering }: Explanation, now: number): void {
  if (recovering) note("Redis' counters were not looked at yet, or are being restored: only campaigns without any limit are shown; does sync run?");
  if (at < now) note("what the user has seen is that of now: showings after that time count as well");
}

/** Of a store that is here: elsewhere there is nothing to compare with. */
async function remarkChanges(
  context: Context,
  { redis }: Handle,
  keys: Parameters<typeof import("../../sync/publish.js").isPublished>[2],
  now: number,
): Promise<void> {
  if (context.quiet || !existsSync(storePath(context.config))) return;
  const { isPublished } = await import("../../sync/publish.js");
  const published = await withStore(context, (store) => isPublished(store, redis, keys, now));
  if (!published) context.note("the store has changes that are not published; popup sync publishes them");
}

function textOf(explanation: Explanation): string {
  const { userId, sessionId, at, timezone, decision, candidates } = explanation;
  const shown = candidates.find(({ campaignId }) => campaignId === decision);
  const who = `user ${userId}${sessionId === null ? "" : `, session ${sessionId}`}, ${clock(at, timezone)} ${timezone}`;
  const head = `${who}\n${shown === undefined ? "sees no popup" : `sees campaign ${shown.campaignId}: ${shown.title}`}`;
  if (candidates.length === 0) return `${head}: there are no active campaigns`;
  return `${head}\n\n${tableOf(explanation)}`;
}

function tableOf({ candidates, decision, timezone }: Explanation): string {
  const time = (ms: number): string => clock(ms, timezone);
  const verdict = (candidate: Candidate): string =>
    candidate.against === null ? (candidate.campaignId === decision ? "shown" : "would follow") : reasonText(candidate, time);
  const next = (candidate: Candidate): string => (candidate.next === null ? (candidate.against === null ? "" : "never") : time(candidate.next));
  const rows = candidates.map((candidate) => [
    String(candidate.campaignId),
    candidate.title,
    `${verdict(candidate)}${candidate.draft ? " (draft)" : ""}`,
    next(candidate),
  ]);
  return table(["campaign", "title", "verdict", "next"], rows, { wrap: "verdict" });
}

/** To the second, and never before the time itself: `2026-11-24 15:02:11`. */
function clock(ms: number, timezone: string): string {
  return formatLocal(Math.ceil(ms / 1_000) * 1_000, timezone);
}
