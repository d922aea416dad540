/** GET of users on none of 1,000 lists, against the same with 10. */
import type { CaseContext, CaseResult, Table } from "../case.js";
import { ratioBound } from "../over-floor.js";
import { fillLists } from "../population.js";
import { compare, runRounds } from "../rounds.js";
import { runsTable } from "../run.js";
import { startEngine, startFloor } from "../servers.js";
import type { Ratio } from "../stats.js";
import type { Load } from "../wrk.js";

/** In the lists; as many others ask. */
const USERS = { quick: 200_000, full: 1_000_000 };

export async function run(context: CaseContext): Promise<CaseResult> {
  const users = USERS[context.quick ? "quick" : "full"];
  const few = await startEngine(context, "10 lists", (store) => fillLists(store, { campaigns: 10, users, seed: 10 }));
  const many = await startEngine(context, "1,000 lists", (store) => fillLists(store, { campaigns: 1_000, users, seed: 1_000 }));
  const load: Load = { kind: "get", first: users, users, campaigns: 10 };
  // The bounds are about many over few; a quick run has no time for the floor.
  const floors = context.quick ? [] : [{ subject: await startFloor(context), load: { ...load, first: 0 } }];
  const rounds = await runRounds(context, [...floors, { subject: few, load }, { subject: many, load }], 2);
  const growth = compare(rounds, few.name, many.name);
  return {
    title: "GET, in none of 1,000 targeted campaigns",
    about: `Every campaign is for a list of its own (1.2 % of the first ${users.toLocaleString("en-US")} users); as many other users ask. The engine with 10 such campaigns, and with 1,000.`,
    tables: [
      runsTable(rounds.rounds.flat()),
      ...floors.map(
        ({ subject: floor }): Table => ({
          caption: "Over the floor, medians of the pairs",
          head: ["", "requests/s", "CPU per request"],
          rows: [few, many].map(({ name }) => {
            const { rps, cpu } = compare(rounds, floor.name, name);
            return [name, ratioText(rps), ratioText(cpu)];
          }),
        }),
      ),
    ],
    bounds: [
      ratioBound("requests/s, 1,000 over 10", growth.rps, "≥", { limit: 0.7 }),
      ratioBound("CPU per request, 1,000 over 10", growth.cpu, "≤", { limit: 1.5 }),
    ],
    remarks: [],
    invalid: rounds.problems,
    runs: rounds.rounds,
  };
}

const ratioText = ({ median, min, max }: Ratio): string => `${median.toFixed(3)} (${min.toFixed(3)} to ${max.toFixed(3)})`;
