/** The upgrade of docs/operations.md on one machine: two installations, customers who never stop, and nobody who notices. */
import "../helpers/uncovered.js";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { SCHEMA_VERSION } from "../../dist/store/migrate.js";
import { freePort } from "../helpers/engine.js";
import { startRedis } from "../helpers/redis.js";
import { until } from "../helpers/until.js";
import { Customers, type Outcomes } from "./customers.js";
import { type Changes, installer } from "./installation.js";

const folder = mkdtempSync(join(tmpdir(), "popup-upgrade-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const redis = await startRedis(t);
const install = installer(folder);

/** A version whose store has one more table, so that the old one may not go on with it. */
const SCHEMA: Changes = { "dist/store/migrate.js": [["campaignKeys, rollups]", 'campaignKeys, rollups, "CREATE TABLE of_the_new_version (n)"]']] };
/** And one that publishes a list that the old one cannot read. */
const FORM: Changes = { ...SCHEMA, dist: [["PLv4", "PLv5"]], lua: [["PLv4", "PLv5"]] };

const CREATE =
  "campaign create --title Live --image-url https://bank.example/a.png --action-url bankapp:a --priority 1 --target all --start 2020-01-01 --end 2040-01-01 --status active";

/** The whole of it. @returns what the customers saw */
async function upgrade(t: Test, name: string, changes: Changes, processes: number): Promise<Outcomes> {
  const dir = join(folder, name);
  const env = { ...process.env, POPUP_DATA: join(dir, "data"), POPUP_REDIS_URL: redis.url, POPUP_PREFIX: `${name}:`, NO_COLOR: "1" };
  const [before, after] = [install(`${name}/old`, env), install(`${name}/new`, env, changes)];
  const port = await freePort();
  const api = async (drain: number): Promise<string> =>
    `serve --api-only --share-port --drain ${drain} --processes ${processes} --port ${port} --admin 127.0.0.1:${await freePort()}`;

  before.run(CREATE);
  const old = { api: before.start(t, await api(2)), sync: before.start(t, "sync --watch"), worker: before.start(t, "worker") };
  await until("the old version is ready", async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status === 200);
  const customers = new Customers(port, { kept: 3, anew: 1 });
  const { outcomes } = customers;
  t.teardown(() => customers.end());
  const more = (what: string): Promise<unknown> => {
    const { answers } = outcomes;
    return until(what, () => outcomes.answers > answers + 100);
  };
  await more("customers are answered");

  t.equal(await old.sync.end(), 0);
  t.equal(await old.worker.end(), 0);
  const next = after.start(t, await api(0));
  await more("customers are answered without sync and worker");
  if (changes === FORM) {
    await until("the new version sees that it cannot read the list", () => next.log().includes("a form this engine does not know"));
    await more("customers are answered by the old version alone");
    t.notMatch(next.log(), "popup listens on", "it waits for a list that it can read");
  }
  t.same(outcomes.degraded, [], "up to now nobody is without a decision");
  const nextSync = after.start(t, "sync --watch");
  const nextWorker = after.start(t, "worker");
  await until("the new version listens beside the old one", () => next.log().includes("popup listens on"));
  await more("customers are answered by both");
  t.equal(await old.api.end(), 0);
  await more("customers are answered by the new version");
  await customers.end();

  const counted = (): number => (JSON.parse(after.run("report --json")) as { impressions: number }[])[0]?.impressions ?? 0;
  await until("every report is stored", () => counted() >= outcomes.reports);
  t.equal(counted(), outcomes.reports, "each is counted once");
  t.match(after.run("reconcile"), "nothing differs");
  t.throws(() => before.run("campaign list"), { message: new RegExp(`the store has schema ${SCHEMA_VERSION + 1}, this engine knows ${SCHEMA_VERSION}`) });
  t.same(await Promise.all([next, nextSync, nextWorker].map(({ end }) => end())), [0, 0, 0]);
  t.comment(`${outcomes.answers} answers, ${outcomes.reports} reports, ${outcomes.degraded.length} degraded`);
  t.same(outcomes.failed, [], "no request fails, and no connection is refused");
  t.same(outcomes.wrong, [], "nor is one answered as it should not be");
  return outcomes;
}

t.test("a new version beside the old one: no request fails, none is degraded, every report is counted once", async (t) => {
  const { degraded } = await upgrade(t, "same", SCHEMA, 2);
  t.same(degraded, []);
});

t.test("a new form of the list: the new version waits for it; popups are missed for a moment, and no report", async (t) => {
  const { degraded } = await upgrade(t, "form", FORM, 1);
  t.same(
    degraded.filter((cause) => cause !== "unavailable"),
    [],
  );
});
