/** `popup simulate` */
import type { Command } from "commander";
import { invalid } from "../../errors.js";
import { simulationPage } from "../../reach/page.js";
import { type Simulation, simulate } from "../../reach/simulate.js";
import { formatLocal, formatTime, parseTime } from "../../time.js";
import { VERSION } from "../../version.js";
import { contextOf, counted, table, withStore } from "../context.js";
import { writePage } from "../page-file.js";

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;

export function simulateCommand(program: Command): void {
  program
    .command("simulate")
    .description("how many users would be shown which campaign first, who is shown none, and which campaigns never come up")
    .option("--at <time>", "the campaigns that run then; now unless told")
    .option("--days <n>", "each of so many days from then on", "1")
    .option("--html <file>", "also as a page with charts")
    .addHelpText(
      "after",
      "\nOf the active campaigns and the audiences as they are in the store; a customer\nwho has seen nothing yet, so no cap is closed.\n\nExamples:\n  popup simulate\n  popup simulate --at 2026-12-24T18:00 --days 7 --html december.html",
    )
    .action((flags: { at?: string; days: string; html?: string }, command: Command) => {
      const context = contextOf(command);
      const days = /^\d{1,3}$/.test(flags.days) ? Number(flags.days) : 0;
      if (days < 1 || days > MOST_DAYS) throw invalid("--days", `"${flags.days}" is not a whole number of 1 to ${MOST_DAYS}`, "write 7");
      return withStore(context, (store) => {
        const timezone = store.settings.get("timezone");
        const from = flags.at === undefined ? Math.floor(Date.now() / 1_000) * 1_000 : parseTime(flags.at, timezone, "--at");
        const simulations = Array.from({ length: days }, (_, day) => simulate(store, from + day * DAY_MS));
        if (flags.html !== undefined) writePage(flags.html, simulationPage(simulations, timezone, VERSION));
        const shown = simulations.map((one) => ({ ...one, at: formatTime(one.at, timezone) }));
        context.print(days === 1 ? shown[0] : shown, simulations.map((one) => textOf(one, timezone)).join("\n\n"));
      });
    });
}

function textOf({ at, users, none, campaigns }: Simulation, timezone: string): string {
  const head = `${formatLocal(at, timezone)} ${timezone}: ${counted(users, "user")} in the audiences of ${counted(campaigns.length, "campaign")}; ${none.toLocaleString("en-US")} of them are shown none`;
  if (campaigns.length === 0) return head;
  const rows = campaigns.map((one) => [
    one.campaign_id,
    one.title,
    one.priority,
    one.reach,
    one.first,
    one.starved ? `starved${one.starved_by === null ? "" : ` by ${one.starved_by}`}` : one.shown_to_others ? "and everybody in no audience" : "",
  ]);
  return `${head}\n${table(["campaign", "title", "priority", "meant", "shown first", ""], rows)}`;
}
