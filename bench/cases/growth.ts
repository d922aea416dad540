/** How the cost of a GET grows with campaigns and with users. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf } from "../../dist/errors.js";
import type { Store } from "../../dist/store/store.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import type { CaseContext, CaseResult, Table } from "../case.js";
import { timed } from "../commandstats.js";
import { fillMixed, fillTargeted, type Population } from "../population.js";
import { measure, problemsOf, type Run } from "../run.js";
import { startEngine, startFloor } from "../servers.js";
import { type Panel, renderSvg } from "../svg.js";
import { type Load, runWrk } from "../wrk.js";

const CAMPAIGNS = { quick: [1, 1_000], full: [1, 10, 50, 200, 1_000, 5_000] };
const CAMPAIGNS_USERS = 100_000;
const USERS = { quick: [10_000, 1_000_000], full: [10_000, 100_000, 1_000_000, 10_000_000] };
const USERS_CAMPAIGNS = 50;
const RUN_S = { quick: 1, full: 5 };
/** Fewer than elsewhere: the question is what a GET costs, not how many there can be, and a long queue would meet the deadline. */
const CONNECTIONS = 16;
const FIGURE = "growth.svg";

interface Point {
  readonly campaigns: number;
  readonly users: number;
  readonly who: "any user" | "in none";
  readonly run: Run;
  readonly redisUsPerCall: number;
}

export async function run(context: CaseContext): Promise<CaseResult> {
  const mode = context.quick ? "quick" : "full";
  const floorServer = await startFloor(context);
  const floorLoad: Load = { kind: "get", first: 0, users: 1_000_000, campaigns: 1, connections: CONNECTIONS };
  await runWrk(floorServer.url, floorLoad, 1, 1);
  const floor = await measure(floorServer, floorLoad, RUN_S[mode], 2);
  await floorServer.stop();

  const points: Point[] = [];
  const failures: string[] = [];
  const add = async (campaigns: number, users: number, quickAsker: Point["who"]): Promise<void> => {
    for (const who of context.quick ? [quickAsker] : (["any user", "in none"] as const)) {
      try {
        points.push(await point(context, who, { campaigns, users, seed: 50 }));
      } catch (error) {
        // The largest may be more than the engine can take; the others are figures nevertheless.
        failures.push(`${campaigns.toLocaleString("en-US")} campaigns, ${users.toLocaleString("en-US")} users, ${who}: ${reasonOf(error)}`);
      }
    }
  };
  for (const campaigns of CAMPAIGNS[mode]) await add(campaigns, CAMPAIGNS_USERS, "in none");
  const byCampaigns = points.slice();
  for (const users of USERS[mode]) await add(USERS_CAMPAIGNS, users, "any user");
  const byUsers = points.slice(byCampaigns.length);

  const panels = [
    panel(`By campaigns, ${CAMPAIGNS_USERS.toLocaleString("en-US")} users`, "active campaigns", byCampaigns, ({ campaigns }) => campaigns, floor.cpuUs),
    panel(`By users, ${USERS_CAMPAIGNS} campaigns`, "users in the audiences", byUsers, ({ users }) => users, floor.cpuUs),
  ];
  writeFileSync(join(PACKAGE_ROOT, "bench", FIGURE), renderSvg("Cost of a decision against campaigns and users", panels));
  return {
    title: "growth",
    about: `"Any user": the mix of get-50 (of five campaigns one for all, two for a segment each, two for a list each). "In none": every campaign is targeted, as in get-none-50, and the users who ask are in no audience. ${CONNECTIONS} connections. The floor in the same process: ${floor.cpuUs.toFixed(1)} µs of CPU per GET.`,
    tables: [table("By campaigns", byCampaigns, floor), table("By users", byUsers, floor)],
    bounds: [],
    remarks: ["Redis µs is the select script's own time for a call, which the decisions that wait at that moment share."],
    invalid: [...problemsOf([floor, ...points.map((one) => one.run)]), ...failures],
    figure: FIGURE,
    runs: { floor, points },
  };
}

async function point(context: CaseContext, who: Point["who"], population: Population): Promise<Point> {
  const { campaigns, users } = population;
  const fill = (store: Store): void => (who === "any user" ? fillMixed : fillTargeted)(store, population);
  const subject = await startEngine(context, `${campaigns}-${users}-${who.replace(" ", "-")}`, fill);
  const load: Load = { kind: "get", first: who === "any user" ? 0 : users, users, campaigns, connections: CONNECTIONS };
  let run: Run | undefined;
  let usPerCall = Number.NaN;
  try {
    if (!context.quick) await runWrk(subject.url, load, 1, 1);
    ({ usPerCall } = await timed(subject.redis, "evalsha", async () => {
      run = await measure(subject, load, RUN_S[context.quick ? "quick" : "full"], 2);
    }));
  } finally {
    await subject.stop();
  }
  if (!run) throw new Error("no run");
  context.note(`${campaigns} campaigns, ${users} users, ${who}: ${run.cpuUs.toFixed(1)} µs, script ${usPerCall.toFixed(1)} µs`);
  return { campaigns, users, who, run, redisUsPerCall: usPerCall };
}

function table(caption: string, points: readonly Point[], floor: Run): Table {
  return {
    caption,
    head: ["campaigns", "users", "who asks", "requests/s", "CPU µs per GET", "over the floor", "Redis µs per call", "bad answers"],
    rows: points.map(({ campaigns, users, who, run, redisUsPerCall }) => [
      campaigns.toLocaleString("en-US"),
      users.toLocaleString("en-US"),
      who,
      Math.round(run.rps).toLocaleString("en-US"),
      run.cpuUs.toFixed(1),
      (run.cpuUs / floor.cpuUs).toFixed(2),
      redisUsPerCall.toFixed(1),
      Object.values(run.bad)
        .reduce((sum, n) => sum + n, 0)
        .toLocaleString("en-US"),
    ]),
  };
}

function panel(title: string, xLabel: string, points: readonly Point[], x: (point: Point) => number, floorUs: number): Panel {
  // A point with bad answers is in the table, marked; its cost is not that of decisions.
  const of = (who: Point["who"], y: (point: Point) => number): [number, number][] =>
    points.filter((one) => one.who === who && Object.keys(one.run.bad).length === 0).map((one) => [x(one), y(one)]);
  const xs = points.map(x);
  return {
    title,
    xLabel,
    yLabel: "µs per GET, or per call of the script",
    series: [
      { name: "CPU, any user", color: "#0969da", points: of("any user", ({ run }) => run.cpuUs) },
      { name: "CPU, in none", color: "#bc4c00", points: of("in none", ({ run }) => run.cpuUs) },
      {
        name: "CPU, floor",
        color: "#57606a",
        dashed: true,
        points: [
          [Math.min(...xs), floorUs],
          [Math.max(...xs), floorUs],
        ],
      },
      { name: "script per call, any user", color: "#54aeff", points: of("any user", ({ redisUsPerCall }) => redisUsPerCall) },
      { name: "script per call, in none", color: "#e99f6c", points: of("in none", ({ redisUsPerCall }) => redisUsPerCall) },
    ],
  };
}
