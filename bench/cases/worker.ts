/** Events per second from the stream into the store, by one worker. */
import Database from "better-sqlite3";
import { storePath } from "../../dist/config.js";
import type { CaseContext, CaseResult } from "../case.js";
import { runPopup } from "../commands.js";
import { fillMixed } from "../population.js";
import { openEngine, reportImpressions } from "../reports.js";
import { settled, startEngine } from "../servers.js";
import { median } from "../stats.js";

const EVENTS = { quick: 100_000, full: 300_000 };
const ROUNDS = { quick: 1, full: 3 };
const USERS = 1_000_000;
const CAMPAIGNS = 50;

interface WorkerRun {
  readonly before: number;
  readonly events: number;
  readonly seconds: number;
  readonly startSeconds: number;
  readonly perSecond: number;
}

export async function run(context: CaseContext): Promise<CaseResult> {
  const mode = context.quick ? "quick" : "full";
  const events = EVENTS[mode];
  // Few users in the audiences: this case is about events.
  const { redis, config, env, keys } = await startEngine(context, "engine", (store) => fillMixed(store, { campaigns: CAMPAIGNS, users: 1_000, seed: 50 }));
  const engine = await openEngine(context, config.redisUrl, keys);
  const store = new Database(storePath(config), { readonly: true });
  context.defer(() => store.close());
  const stored = (): number => Number(store.prepare("SELECT count(*) FROM events").pluck().get());
  const once = ["worker", "--once"];
  // The first one makes the consumer group.
  await runPopup(context, env, once);

  const runs: WorkerRun[] = [];
  const invalid: string[] = [];
  for (let round = 1; round <= ROUNDS[mode]; round++) {
    // With nothing to carry, the same command takes the time to start and to end.
    const startSeconds = await runPopup(context, env, once);
    await reportImpressions(engine, { count: events, users: USERS, campaigns: CAMPAIGNS, seed: 100 + round });
    await settled(redis);
    const seconds = (await runPopup(context, env, once)) - startSeconds;
    runs.push({ before: events * (round - 1), events, seconds, startSeconds, perSecond: events / seconds });
    if (stored() !== events * round) invalid.push(`the store holds ${stored()} events of ${events * round}`);
    context.note(`round ${round}: ${Math.round(events / seconds)} events/s`);
  }
  const rates = runs.map(({ perSecond }) => perSecond);
  return {
    title: "worker, stream to SQLite",
    about: `${events.toLocaleString("en-US")} impressions of random users of a million are in the stream, written by the impression script. \`popup worker --once\` carries them into the store, a file with synchronous commits. Its time, less what the same command takes to start and end with an empty stream; then the store's events are counted.`,
    tables: [
      {
        caption: "Runs, into the same store: it grows, as a bank's does",
        head: ["events in the store before", "events", "seconds", "start and end, s", "events/s"],
        rows: runs.map((r) => [
          r.before.toLocaleString("en-US"),
          r.events.toLocaleString("en-US"),
          r.seconds.toFixed(2),
          r.startSeconds.toFixed(2),
          Math.round(r.perSecond).toLocaleString("en-US"),
        ]),
      },
    ],
    bounds: [{ name: "events/s", value: median(rates), range: [Math.min(...rates), Math.max(...rates)], relation: "≥", limit: 50_000 }],
    remarks: [],
    invalid,
    runs,
  };
}
