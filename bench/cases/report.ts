/** Reports over millions of events: the commands, with their start and end. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type Config, configEnv, storePath } from "../../dist/config.js";
import { openStore } from "../../dist/store/store.js";
import type { CaseContext, CaseResult } from "../case.js";
import { runPopup } from "../commands.js";
import { fillEvents } from "../events.js";
import { fillMixed } from "../population.js";
import { median } from "../stats.js";

const EVENTS = { quick: 1_000_000, full: 10_000_000 };
const ROUNDS = { quick: 3, full: 5 };
const CAMPAIGNS = 50;
const COMMANDS: readonly (readonly string[])[] = [
  ["report"],
  ["report", "--by", "hour", "--json"],
  ["report", "7", "--from", "2026-10-01", "--to", "2026-11-01"],
  ["report", "7", "--by", "hour", "--from", "2026-10-01", "--to", "2026-11-01"],
  ["settings", "list"],
];

export async function run(context: CaseContext): Promise<CaseResult> {
  const mode = context.quick ? "quick" : "full";
  const config: Config = { dataDir: join(context.dir, "engine"), redisUrl: "embedded", redisCa: null, prefix: "", actor: "bench" };
  const store = openStore(storePath(config), { actor: config.actor });
  try {
    fillMixed(store, { campaigns: CAMPAIGNS, users: 1_000, seed: 50 });
    fillEvents(store, { count: EVENTS[mode], users: EVENTS[mode] / 5, campaigns: CAMPAIGNS, from: Date.UTC(2026, 8, 1), days: 90, seed: 51 });
  } finally {
    store.close();
  }
  const megabytes = statSync(storePath(config)).size / 1e6;
  const runs: { readonly command: string; readonly seconds: readonly number[] }[] = [];
  for (const command of COMMANDS) {
    const seconds: number[] = [];
    for (let round = 0; round < ROUNDS[mode]; round++) seconds.push(await runPopup(context, configEnv(config), command));
    runs.push({ command: `popup ${command.join(" ")}`, seconds });
    context.note(`${command.join(" ")}: ${median(seconds).toFixed(2)} s`);
  }
  return {
    title: "reports",
    about: `${EVENTS[mode].toLocaleString("en-US")} events of ${CAMPAIGNS} campaigns and ${(EVENTS[mode] / 5).toLocaleString("en-US")} users over 90 days, a store of ${Math.round(megabytes)} MB. Each command runs ${ROUNDS[mode]} times, in a process of its own; \`settings list\` is what a command takes that does nothing.`,
    tables: [
      {
        caption: "Time of a command, from its start to its end",
        head: ["command", "median, s", "least", "greatest"],
        rows: runs.map(({ command, seconds }) => [`\`${command}\``, ...[median(seconds), Math.min(...seconds), Math.max(...seconds)].map((s) => s.toFixed(2))]),
      },
    ],
    bounds: [],
    remarks: [],
    invalid: [],
    runs,
  };
}
