/** The process of the customers: `client/process.ts PLAN`. Writes the history as it goes. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Entry } from "../history.js";
import { CUSTOMERS, usersOf } from "../population.js";
import { Customer, nowMs } from "./customer.js";
import { AppClient } from "./http.js";
import type { ClientMessage, ClientOrder, LoadPlan } from "./messages.js";

/** How often the harness is told how many requests have ended. */
const PROGRESS_MS = 100;

const plan = JSON.parse(process.argv[2] ?? "{}") as LoadPlan;
const out = createWriteStream(plan.file);
const app = new AppClient(plan.url);
const stalls = monitorEventLoopDelay({ resolution: 1 });
stalls.enable();
let ended = 0;
const note = (entry: Entry): void => {
  ended++;
  out.write(`${JSON.stringify(entry)}\n`);
};
const tell = (message: ClientMessage): void => void process.send?.(message);
const customers = Array.from({ length: CUSTOMERS }, (_, i) => new Customer(usersOf(i), app, plan.habits, plan.seed + i, note));
for (const customer of customers) customer.start();
const progress = setInterval(() => tell({ progress: ended }), PROGRESS_MS);

async function finish(patienceMs: number): Promise<void> {
  await Promise.all(customers.map((customer) => customer.finish(patienceMs)));
  clearInterval(progress);
  app.close();
  out.end();
  await once(out, "finish");
  process.send?.({ done: "finish", stallMs: stalls.max / 1e6 } satisfies ClientMessage, () => process.disconnect());
}

async function flood(gets: number, together: number): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: together }, async () => {
      while (next < gets) {
        const user = `flood-${next++}`;
        const sent = nowMs();
        const answer = await app.popup(user);
        note({ kind: "get", user, sent, answered: nowMs(), answer });
      }
    }),
  );
  tell({ done: "flood" });
}

process.on("message", (order: ClientOrder) => {
  if (order.order === "finish") void finish(order.patienceMs);
  else void flood(order.gets, order.together);
});
// The harness is gone: there is nobody to tell.
process.once("disconnect", () => process.exit());
