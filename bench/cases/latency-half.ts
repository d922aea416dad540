/** Latency at half of saturation. */
import type { CaseContext, CaseResult } from "../case.js";
import { type ClosedResult, closedLoop, during, forSeconds, type OpenResult, openLoop } from "../client-load.js";
import { getPopup } from "../http-client.js";
import { fillMixed } from "../population.js";
import { SeededRandom } from "../random.js";
import { type Subject, startEngine, startFloor } from "../servers.js";
import { median } from "../stats.js";
import { CONNECTIONS, runWrk } from "../wrk.js";

const USERS = 1_000_000;
const ROUNDS = { quick: 1, full: 5 };
const CLOSED_S = { quick: 1, full: 5 };
const OPEN_S = { quick: 2, full: 15 };

/** Of wrk, from a lone one up; the last is saturation. */
const STEPS = [1, 2, 4, 8, 16, 32, CONNECTIONS];
const STEP_S = { quick: 1, full: 5 };

interface Step {
  readonly subject: string;
  readonly connections: number;
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
interface HalfRun {
  readonly subject: string;
  readonly closed: ClosedResult;
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
  const random = new SeededRandom(6);
  const request = (): string => getPopup(random.below(USERS));
  for (const { url } of subjects) await closedLoop(url, during(1, request));
  const runs: HalfRun[] = [];
  for (let round = 0; round < ROUNDS[mode]; round++) for (const subject of subjects) runs.push(await half(subject, CLOSED_S[mode], OPEN_S[mode], request));

  const steps: Step[] = [];
  for (const { name, url } of subjects) {
    for (const connections of STEPS) {
      const { requests, seconds, p50Ms, p99Ms } = await runWrk(
        url,
        { kind: "get", first: 0, users: USERS, campaigns: 50, connections },
        STEP_S[mode],
        connections,
      );
      steps.push({ subject: name, connections, rps: requests / seconds, p50Ms, p99Ms });
    }
  }
  const engine = steps.filter(({ subject }) => subject === "engine");
  const most = Math.max(...engine.map(({ rps }) => rps));
  // The first step that is at half of saturation or beyond it.
  const atHalf = engine.find(({ rps }) => rps >= most / 2);

  const own = (name: string): HalfRun[] => runs.filter(({ subject }) => subject === name);
  const p99s = own("engine").map(({ open }) => open.p99Ms);
  return {
    title: "latency at half of saturation",
    about:
      "The campaigns of get-50. Open loop: half of the closed-loop rate of the benchmark's own client (64 connections), latency counted from the time a request was due; a Node client that shares two cores with the servers pays for its own timers and collections, and the floor's row shows what of the figure is that. Closed loop: wrk, which costs a fraction, with as many connections as make half of the most it gets through.",
    tables: [
      {
        caption: "Open loop; medians of the runs",
        head: ["", "saturation/s", "rate/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "bad answers"],
        rows: subjects.map(({ name }) => {
          const mid = (value: (run: HalfRun) => number): number => median(own(name).map(value));
          return [
            name,
            Math.round(mid((r) => r.closed.rps)).toLocaleString("en-US"),
            Math.round(mid((r) => r.rate)).toLocaleString("en-US"),
            ...[mid((r) => r.open.p50Ms), mid((r) => r.open.p99Ms), mid((r) => r.open.p999Ms), mid((r) => r.open.maxMs)].map((ms) => ms.toFixed(2)),
            String(own(name).reduce((sum, r) => sum + r.open.bad + r.closed.bad, 0)),
          ];
        }),
      },
      {
        caption: "Closed loop, wrk: fewer connections, less load",
        head: ["", "connections", "requests/s", "of saturation", "p50 ms", "p99 ms"],
        rows: steps.map(({ subject, connections, rps, p50Ms, p99Ms }) => [
          subject,
          String(connections),
          Math.round(rps).toLocaleString("en-US"),
          `${Math.round((100 * rps) / Math.max(...steps.filter((step) => step.subject === subject).map((step) => step.rps)))} %`,
          p50Ms.toFixed(2),
          p99Ms.toFixed(2),
        ]),
      },
    ],
    bounds: [
      {
        name: `p99 at half of saturation, wrk with ${atHalf?.connections ?? 0} connections`,
        value: atHalf?.p99Ms ?? Number.NaN,
        relation: "<",
        limit: 5,
        unit: " ms",
      },
      {
        name: "p99 at half of saturation, open loop",
        value: median(p99s),
        range: [Math.min(...p99s), Math.max(...p99s)],
        relation: "<",
        limit: 5,
        unit: " ms",
      },
    ],
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
