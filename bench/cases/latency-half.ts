/** Latency at half of saturation. */
import { setTimeout as delay } from "node:timers/promises";
import type { CaseContext, CaseResult } from "../case.js";
import { type OpenResult, openLoop } from "../open-loop.js";
import { fillMixed } from "../population.js";
import { type Subject, startEngine, startFloor } from "../servers.js";
import { median } from "../stats.js";
import { CONNECTIONS, runWrk } from "../wrk.js";

const USERS = 1_000_000;
const ROUNDS = { quick: 1, full: 5 };
const CLOSED_S = { quick: 1, full: 5 };
const OPEN_S = { quick: 2, full: 15 };

interface HalfRun {
  readonly subject: string;
  /** Requests/s. */
  readonly saturation: number;
  readonly rate: number;
  readonly open: OpenResult;
}

export async function run(context: CaseContext): Promise<CaseResult> {
  const mode = context.quick ? "quick" : "full";
  const subjects = await Promise.all([
    // What of it is the machine's; a quick run has no time for that.
    ...(context.quick ? [] : [startFloor(context)]),
    startEngine(context, "engine", (store) => fillMixed(store, { campaigns: 50, users: USERS, seed: 50 })),
  ]);
  for (const { url } of subjects) await saturate(url, 1, 0);
  const runs: HalfRun[] = [];
  for (let round = 1; round <= ROUNDS[mode]; round++) for (const subject of subjects) runs.push(await half(subject, CLOSED_S[mode], OPEN_S[mode], round));

  const own = (name: string): HalfRun[] => runs.filter(({ subject }) => subject === name);
  const p99s = own("engine").map(({ open }) => open.p99Ms);
  return {
    title: "latency at half of saturation",
    about: `The campaigns of get-50. Saturation: what wrk gets through with ${CONNECTIONS} connections in a closed loop. Open loop: half of that, latency counted from the time a request was due; the client shares the two cores with the servers, and the floor's row shows what of the figure is the machine's.`,
    tables: [
      {
        caption: "Open loop; medians of the runs",
        head: ["", "saturation/s", "rate/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "client stalled ms", "bad answers"],
        rows: subjects.map(({ name }) => {
          const mid = (value: (run: HalfRun) => number): number => median(own(name).map(value));
          return [
            name,
            Math.round(mid((r) => r.saturation)).toLocaleString("en-US"),
            Math.round(mid((r) => r.rate)).toLocaleString("en-US"),
            ...[mid((r) => r.open.p50Ms), mid((r) => r.open.p99Ms), mid((r) => r.open.p999Ms), mid((r) => r.open.maxMs), mid((r) => r.open.clientStallMs)].map(
              (ms) => ms.toFixed(2),
            ),
            String(own(name).reduce((sum, r) => sum + r.open.bad, 0)),
          ];
        }),
      },
    ],
    bounds: [
      {
        name: "p99 at half of saturation",
        value: median(p99s),
        range: [Math.min(...p99s), Math.max(...p99s)],
        relation: "<",
        limit: 5,
        unit: " ms",
      },
    ],
    remarks: [],
    invalid: runs.filter((r) => r.open.bad > 0).map((r) => `${r.subject}: ${r.open.bad} bad answers`),
    runs,
  };
}

/** Requests/s. */
async function saturate(url: string, seconds: number, seed: number): Promise<number> {
  const { requests, seconds: took } = await runWrk(url, { kind: "get", first: 0, users: USERS, campaigns: 50 }, seconds, seed);
  return requests / took;
}

async function half({ name, url }: Subject, closedS: number, openS: number, seed: number): Promise<HalfRun> {
  const saturation = await saturate(url, closedS, seed);
  const rate = saturation / 2;
  return { subject: name, saturation, rate, open: await openLoop(url, { rate, users: USERS, seed }, delay(openS * 1e3)) };
}
