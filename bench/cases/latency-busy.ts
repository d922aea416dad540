/** Latency of decisions while the engine is busy with something else. */
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { storePath } from "../../dist/config.js";
import { IdSet } from "../../dist/id-set.js";
import { readManifest } from "../../dist/manifest.js";
import { createCampaign } from "../../dist/store/campaign-changes.js";
import type { Store } from "../../dist/store/store.js";
import type { CaseContext, CaseResult } from "../case.js";
import { runPopup, startPopup } from "../commands.js";
import { LOST_MS, type OpenResult, openLoop } from "../open-loop.js";
import { campaignInput, fillMixed, putAudience } from "../population.js";
import { SeededRandom } from "../random.js";
import { openEngine, reportImpressions } from "../reports.js";
import { type EngineSubject, settled, startChild, startEngine, stopChild } from "../servers.js";
import { runWrk } from "../wrk.js";

const USERS = 1_000_000;
const SEGMENT = "big";
/** Loads, one after the other. */
const CSV_IDS = { quick: [1_000_000], full: [1_000_000, 10_000_000] };
/** Ids in the CSV are drawn from this many times as many: dense enough for a bitmap, as a bank's are. */
const CSV_RANGE = 2;
/** Commands that held Redis for less than this, µs, are not looked at. */
const HELD_US = 1_000;
/** The campaign whose list changes: the third of five is for a list of its own. */
const CHANGED_CAMPAIGN = 3;
const CHANGE_MS = 500;
const RECORDS = { quick: 10_000, full: 500_000 };
const PHASE_S = { quick: 1, full: 15 };
const MOST_S = 120;

interface Phase {
  readonly phase: string;
  readonly what: string;
  readonly result: OpenResult;
  readonly held: string;
}

export async function run(context: CaseContext): Promise<CaseResult> {
  const mode = context.quick ? "quick" : "full";
  const engine = await startEngine(context, "engine", fill);
  const csvs = CSV_IDS[mode].map((ids) => ({ ids, path: join(context.dir, `${ids}.csv`) }));
  for (const { ids, path } of csvs) writeCsv(path, ids);
  await engine.redis.config("SET", "slowlog-log-slower-than", HELD_US, "slowlog-max-len", 10_000);
  // What a save has to write: records and events of a busy bank.
  await reportImpressions(await openEngine(context, engine.config.redisUrl, engine.keys), { count: RECORDS[mode], users: USERS, campaigns: 50, seed: 8 });
  await settled(engine.redis);
  startPopup(context, engine.env, ["sync", "--watch"]);

  const load = { kind: "get", first: 0, users: USERS, campaigns: 50 } as const;
  await runWrk(engine.url, load, 1, 1);
  const { requests, seconds } = await runWrk(engine.url, load, PHASE_S[mode], 2);
  const rate = requests / seconds / 4;
  const least = PHASE_S[mode];
  const phases: Phase[] = [];
  const phase = async (name: string, what: string, work: () => Promise<unknown>): Promise<void> => {
    await settled(engine.redis);
    await engine.redis.slowlog("RESET");
    const done = Promise.all([work(), delay(least * 1e3)]);
    const result = await openLoop(
      engine.url,
      { rate, users: USERS, seed: phases.length + 1 },
      Promise.race([done, delay(MOST_S * 1e3, undefined, { ref: false })]),
    );
    await done;
    phases.push({ phase: name, what, result, held: await longestHeld(engine) });
    context.note(`${name}: p99.9 ${result.p999Ms.toFixed(1)} ms, ${result.bad} bad`);
  };
  await phase("quiet", "nothing else", async () => undefined);
  await phase("publish", `a campaign and its list of ${Math.round(USERS / 20).toLocaleString("en-US")} ids change every ${CHANGE_MS} ms`, () =>
    changing(context, engine, least),
  );
  for (const { ids, path } of csvs)
    await phase(
      `load of ${ids / 1e6} million`,
      `a CSV of ${ids.toLocaleString("en-US")} ids into a segment, which is then published, and the index built anew`,
      () => loading(context, engine, path),
    );
  await phase("save", "BGSAVE", () => saving(engine, "bgsave"));
  await phase("rewrite", "BGREWRITEAOF", () => saving(engine, "bgrewriteaof"));

  return {
    title: "latency while busy",
    about: `GETs in an open loop at a quarter of saturation (${Math.round(rate).toLocaleString("en-US")}/s; saturation by wrk), latency from the due time. Sync watches the store; the other work is done by processes of their own on the same cores. ${RECORDS[mode].toLocaleString("en-US")} impressions were reported before. A degraded answer counts as ${LOST_MS.toLocaleString("en-US")} ms.`,
    tables: [
      {
        caption: "Milliseconds",
        head: ["phase", "meanwhile", "requests", "p50", "p99", "p99.9", "max", "client stalled", "bad answers", "Redis held longest"],
        rows: phases.map(({ phase: name, what, result, held }) => [
          name,
          what,
          result.requests.toLocaleString("en-US"),
          ...[result.p50Ms, result.p99Ms, result.p999Ms, result.maxMs, result.clientStallMs].map((ms) => ms.toFixed(2)),
          String(result.bad),
          held,
        ]),
      },
    ],
    bounds: phases.slice(1).map(({ phase: name, result }) => ({ name: `p99.9, ${name}`, value: result.p999Ms, relation: "<", limit: 50, unit: " ms" })),
    remarks: [],
    invalid: [],
    runs: { rate, phases },
  };
}

function fill(store: Store): void {
  fillMixed(store, { campaigns: 50, users: USERS, seed: 50 });
  const first = new IdSet();
  first.add("1");
  store.transaction(() => {
    putAudience(store, { kind: "segment", name: SEGMENT }, first);
    createCampaign(store, campaignInput(50, 0, `segment:${SEGMENT}`));
  });
}

function writeCsv(path: string, ids: number): void {
  const random = new SeededRandom(10);
  writeFileSync(path, "user_id\n");
  for (let left = ids; left > 0; left -= 100_000)
    appendFileSync(path, `${Array.from({ length: Math.min(left, 100_000) }, () => random.below(ids * CSV_RANGE)).join("\n")}\n`);
}

/** The command that held Redis longest, and for how long. A fork is a part of the command that asks for it. */
async function longestHeld({ redis }: EngineSubject): Promise<string> {
  const entries = (await redis.slowlog("GET", 10_000)) as [id: number, at: number, us: number, args: string[]][];
  const [longest] = entries.filter(([, , , [command = ""]]) => command.toLowerCase() !== "slowlog").sort(([, , a], [, , b]) => b - a);
  return longest ? `${(longest[2] / 1e3).toFixed(1)} ms, ${longest[3][0]?.toLowerCase() ?? ""}` : `< ${HELD_US / 1e3} ms`;
}

async function changing(context: CaseContext, engine: EngineSubject, seconds: number): Promise<void> {
  const file = fileURLToPath(new URL("../change-process.js", import.meta.url));
  const changer = await startChild(
    context,
    file,
    [storePath(engine.config), CHANGE_MS, CHANGED_CAMPAIGN, USERS].map(String),
    process.env,
    (message) => message === "ready",
  );
  await delay(seconds * 1e3);
  await stopChild(changer);
}

/** Returns when the load is live and in the index. */
async function loading(context: CaseContext, engine: EngineSubject, csv: string): Promise<void> {
  const revision = (): Promise<string | null> => engine.redis.hget(engine.keys.published, engine.keys.audience({ kind: "segment", name: SEGMENT }));
  const indexed = async (): Promise<boolean> => readManifest((await engine.redis.get(engine.keys.manifest)) ?? "").direct.length === 0;
  const before = await revision();
  await runPopup(context, engine.env, ["segment", "load", SEGMENT, csv]);
  for (const started = performance.now(); (await revision()) === before || !(await indexed()); ) {
    if (performance.now() - started > MOST_S * 1e3) throw new Error("the load was not published");
    await delay(50);
  }
}

async function saving({ redis }: EngineSubject, command: "bgsave" | "bgrewriteaof"): Promise<void> {
  await redis[command]();
  await delay(100);
  await settled(redis);
}
