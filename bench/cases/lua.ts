/** Redis' own time for each script. */
import { storePath } from "../../dist/config.js";
import { openStore } from "../../dist/store/store.js";
import { extendRecords } from "../../dist/sync/extend.js";
import { publish } from "../../dist/sync/publish.js";
import { restorePartitions } from "../../dist/sync/restore.js";
import type { CaseContext, CaseResult } from "../case.js";
import { type CommandTime, timed } from "../commandstats.js";
import { fillMixed } from "../population.js";
import { SeededRandom } from "../random.js";
import { decide, openEngine, report, uuid } from "../reports.js";
import { settled, startEngine } from "../servers.js";
import { inTurns } from "../turns.js";

const USERS = 1_000_000;
const CAMPAIGNS = 50;
const CALLS = { quick: 10_000, full: 100_000 };
/** Records that `extend` and `restore` go through. */
const RECORDS = { quick: 2_000, full: 10_000 };
const PUBLISHES = { quick: 3, full: 20 };
/** Calls under way on the one connection. */
const TOGETHER = 16;

interface Row extends CommandTime {
  readonly script: string;
}

export async function run(context: CaseContext): Promise<CaseResult> {
  const mode = context.quick ? "quick" : "full";
  const { redis, config, keys } = await startEngine(context, "engine", (store) => fillMixed(store, { campaigns: CAMPAIGNS, users: USERS, seed: 50 }));
  const engine = await openEngine(context, config.redisUrl, keys);
  const store = openStore(storePath(config), { actor: config.actor });
  context.defer(() => store.close());
  const random = new SeededRandom(12);
  const rows: Row[] = [];
  const time = async (script: string, command: string, work: () => Promise<unknown>): Promise<void> => {
    await settled(redis);
    rows.push({ script, ...(await timed(redis, command, work)) });
    context.note(`${script}: ${rows.at(-1)?.usPerCall.toFixed(2)} µs`);
  };
  const many = (work: () => Promise<unknown>) => (): Promise<void> => inTurns(CALLS[mode], TOGETHER, work);
  const selected = (among: number) => () => decide(engine, String(random.below(among)));
  const reported = (type: "impression" | "click", among: number) => () =>
    report(engine, { type, campaignId: 1 + random.below(CAMPAIGNS), userId: String(random.below(among)), impressionId: uuid(random), sessionId: null });
  // As many users as calls: two of three get a record.
  const some = CALLS[mode];

  const empty = String(await redis.script("LOAD", "return 1"));
  await time(
    "(GET of one key)",
    "get",
    many(() => redis.get(keys.version)),
  );
  await time(
    "(empty script)",
    "evalsha",
    many(() => redis.evalsha(empty, 0)),
  );
  await time("select, no record", "evalsha", many(selected(USERS)));
  // First few users, so that the rebuilding below has some events for each; then any.
  await inTurns(RECORDS[mode], TOGETHER, reported("impression", RECORDS[mode] / 4));
  await time("restore, a user with about 4 events", "evalsha", () => restorePartitions(store, redis, [keys], Date.now()));
  await time("extend", "evalsha", () => extendRecords(store, redis, [{ keys, campaigns: store.campaigns.list() }], Date.now()));
  await time("impression", "evalsha", many(reported("impression", some)));
  await time("reaction", "evalsha", many(reported("click", some)));
  await time("select, most users with a record", "evalsha", many(selected(some)));
  await time("publish, everything", "evalsha", async () => {
    for (let i = 0; i < PUBLISHES[mode]; i++) await publish(store, redis, keys, Date.now(), { full: true });
  });
  const get = rows[0]?.usPerCall ?? Number.NaN;
  return {
    title: "scripts",
    about: `Microseconds of Redis per call, from \`INFO commandstats\` after \`CONFIG RESETSTAT\`; up to ${TOGETHER} requests share a call (except \`restore\`, \`extend\` and \`publish\`). The engine's own functions make the calls, on the campaigns of get-50, with random users and fresh impression ids.`,
    tables: [
      {
        caption: "Time in Redis, without reading the command and writing the reply",
        head: ["script", "calls", "µs per call", "over GET"],
        rows: rows.map(({ script, calls, usPerCall }) => [script, calls.toLocaleString("en-US"), usPerCall.toFixed(2), (usPerCall / get).toFixed(1)]),
      },
    ],
    bounds: [],
    remarks: [],
    invalid: rows.filter((row) => !(row.calls > 0)).map((row) => `${row.script} was not called`),
    runs: rows,
  };
}
