/** Latency at half of saturation. */
import type { CaseContext, CaseResult } from "../case.js";
import { closedLoop, during, forSeconds, openLoop, type ClosedResult, type OpenResult } from "../client-load.js";
import { getPopup } from "../http-client.js";
import { fillMixed } from "../population.js";
import { SeededRandom } from "../random.js";
import { startEngine, startFloor, type Subject } from "../servers.js";
import { median } from "../stats.js";

const USERS = 1_000_000;
const ROUNDS = { quick: 1, full: 5 };
const CLOSED_S = { quick: 1, full: 5 };
const OPEN_S = { quick: 2, full: 15 };

interface HalfRun { readonly subject: string; readonly closed: ClosedResult; readonly rate: number; readonly open: OpenResult }

export async function run(context: CaseContext): Promise<CaseResult> {
  const mode = context.quick ? "quick" : "full";
  const subjects = await Promise.all([
    // What of it is the machine's; a quick run has no time for that.
    ...(context.quick ? [] : [startFloor(context)]),
    startEngine(context, "engine", (store) => fillMixed(store, { campaigns: 50, users: USERS, seed: 50 })),
  ]);
  const random = new SeededRandom(6);
  const request = (): string => getPopup(random.below(USERS));
  for (const { url } of subjects) await closedLoop(url, during(1, request));
  const runs: HalfRun[] = [];
  for (let round = 0; round < ROUNDS[mode]; round++) for (const subject of subjects) runs.push(await half(subject, CLOSED_S[mode], OPEN_S[mode], request));

  const own = (name: string): HalfRun[] => runs.filter(({ subject }) => subject === name);
  const p99s = own("engine").map(({ open }) => open.p99Ms);
  return {
    title: "latency at half of saturation",
    about: "Saturation is the closed-loop rate of the benchmark's own client (64 connections), which costs more CPU than wrk; then half of that rate in an open loop, latency counted from the time a request was due. The campaigns of get-50.",
    tables: [{
      caption: "Medians of the runs",
      head: ["", "saturation/s", "rate/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "bad answers"],
      rows: subjects.map(({ name }) => {
        const mid = (value: (run: HalfRun) => number): number => median(own(name).map(value));
        return [
          name, Math.round(mid((r) => r.closed.rps)).toLocaleString("en-US"), Math.round(mid((r) => r.rate)).toLocaleString("en-US"),
          ...[mid((r) => r.open.p50Ms), mid((r) => r.open.p99Ms), mid((r) => r.open.p999Ms), mid((r) => r.open.maxMs)].map((ms) => ms.toFixed(2)),
          String(own(name).reduce((sum, r) => sum + r.open.bad + r.closed.bad, 0)),
        ];
      }),
    }],
    bounds: [{ name: "p99 at half of saturation", value: median(p99s), range: [Math.min(...p99s), Math.max(...p99s)], relation: "<", limit: 5, unit: " ms" }],
    remarks: [],
    invalid: runs.filter((r) => r.open.bad + r.closed.bad > 0).map((r) => `${r.subject}: ${r.open.bad + r.closed.bad} bad answers`),
    runs,
  };
}

async function half({ name, url }: Subject, closedS: number, openS: number, request: () => string): Promise<HalfRun> {
  const closed = await closedLoop(url, during(closedS, request));
  const rate = closed.rps / 2;
  return { subject: name, closed, rate, open: await openLoop(url, rate, forSeconds(openS), request) };
}
