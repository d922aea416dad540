/** The HTTP fuzz in short; `npm run fuzz` is the long form. */
import "../helpers/uncovered.js";
import t from "tap";
import { seedOfRun } from "../helpers/random.js";
import { openEngine } from "./engine.js";
import { fuzz } from "./run.js";

const REQUESTS = 6_000;

t.test("6,000 requests of every wrong kind: no crash, no 5xx, right answers to what is right, nothing left open", async (t) => {
  const engine = await openEngine();
  t.teardown(() => engine.close());
  const seed = seedOfRun();
  const { requests, sessions, seconds, answers, degraded, spooled, probes, slowestProbeMs, files, memory, faults } = await fuzz(engine, {
    seed,
    requests: REQUESTS,
    slowClients: 10,
  });
  t.comment(
    `POPUP_SEED=${seed}: ${requests} requests in ${sessions} sessions, ${Math.round(seconds)} s; answers ${JSON.stringify([...answers])}, ${degraded} degraded, ${spooled} spooled; ${probes} probes, the slowest ${Math.round(slowestProbeMs)} ms; files ${JSON.stringify(files)}; memory ${JSON.stringify(memory)}`,
  );
  // A part of one is played by itself with: npm run fuzz -- --seed S --session N
  t.same(faults, []);
  t.ok(requests >= REQUESTS && probes > 0);
  for (const status of [200, 202, 400, 404, 405, 413]) t.ok((answers.get(status) ?? 0) > 20, `${status} occurred`);
});
