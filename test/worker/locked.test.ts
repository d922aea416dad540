/** A store that another process keeps locked: the worker waits, says so once, loses nothing, and still ends when told to. */

import "../helpers/uncovered.js";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import type { Test } from "tap";
import t from "tap";
import { SCHEMA_VERSION } from "../../dist/store/migrate.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { freePort } from "../helpers/engine.js";
import { scrape } from "../helpers/metrics.js";
import { bareNode } from "../helpers/node.js";
import { startRedis } from "../helpers/redis.js";
import { testStore } from "../helpers/store.js";
import { storedImpressions } from "../helpers/stored.js";
import { until } from "../helpers/until.js";
import { appendEvents, startWorker } from "../helpers/worker-process.js";

const STREAM = "impressions";

/** Another process takes the store's lock in an exclusive transaction; the function it resolves with gives it back. */
async function lockStore(t: Test, path: string): Promise<() => Promise<void>> {
  const script = `
    const db = new (require("better-sqlite3"))(${JSON.stringify(path)}, { timeout: 10000 });
    db.exec("BEGIN EXCLUSIVE");
    process.stdout.write("locked");
    process.stdin.once("data", () => { db.exec("COMMIT"); process.exit(0); });`;
  const child = spawn("env", [...bareNode(), "-e", script], { cwd: PACKAGE_ROOT, stdio: ["pipe", "pipe", "inherit"] });
  t.teardown(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return async () => {
    child.stdin.write("go on");
    await once(child, "exit");
  };
}

t.test("it waits and loses nothing; trouble is told once, and its end once", async (t) => {
  const { store, path } = testStore(t);
  const { redis, url } = await startRedis(t);
  const admin = `127.0.0.1:${await freePort()}`;
  const adminUrl = `http://${admin}`;
  const worker = startWorker(t, dirname(path), url, { args: ["--quiet", "--admin", admin] });
  let appended = await appendEvents(redis, STREAM, 0, 10);
  await until("the worker is at work", () => storedImpressions(store) === appended);
  const unlock = await lockStore(t, path);
  appended = await appendEvents(redis, STREAM, appended, 500);
  await until("it tells of the trouble", () => worker.log().length > 0);
  const [before] = (await redis.xpending(STREAM, "sqlite")) as [number];
  appended = await appendEvents(redis, STREAM, appended, 500);
  await until("it has tried again and again", async () => ((await scrape(adminUrl)).sum("popup_worker_failures_total") ?? 0) >= 3);
  t.equal((await scrape(adminUrl)).sum("popup_worker_trouble"), 1);
  t.equal(worker.log().length, 1, "one line, however often it tries");
  const [pending] = (await redis.xpending(STREAM, "sqlite")) as [number];
  t.equal(pending, before, "what it has not written it has not acknowledged, and it takes no more");
  t.ok(pending > 0);
  await unlock();
  await until("everything is stored", () => storedImpressions(store) === appended);
  await until("the end is told", () => worker.log().length === 2);
  t.match(worker.log(), [{ msg: "trouble", cause: "database is locked" }, { msg: "trouble is over" }]);
  t.equal(((await redis.xpending(STREAM, "sqlite")) as [number])[0], 0);
  const after = await scrape(adminUrl);
  t.same([after.sum("popup_worker_trouble"), after.sum("popup_worker_events_total", { result: "written" })], [0, appended]);
  t.equal(await worker.end(), 0);
});

t.test("a store that a newer engine has taken meanwhile is left alone; the events are there for the newer worker", async (t) => {
  const { store, path } = testStore(t);
  const { redis, url } = await startRedis(t);
  const worker = startWorker(t, dirname(path), url, { args: ["--quiet"] });
  const before = await appendEvents(redis, STREAM, 0, 10);
  await until("the worker is at work", () => storedImpressions(store) === before);
  const newer = new Database(path);
  t.teardown(() => newer.close());
  newer.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
  const all = await appendEvents(redis, STREAM, before, 10);
  await until("it tells of the trouble", () => worker.log().length > 0);
  t.match(worker.log(), [{ msg: "trouble", cause: `the store has schema ${SCHEMA_VERSION + 1}, this engine knows ${SCHEMA_VERSION}` }]);
  t.equal(newer.prepare("SELECT count(*) FROM events").pluck().get(), before);
  t.equal(await worker.end(), 0);
  newer.pragma(`user_version = ${SCHEMA_VERSION}`);
  startWorker(t, dirname(path), url, { args: ["--claim-after", "1"] });
  await until("another worker has taken them over", () => storedImpressions(store) === all);
});

t.test("it ends at SIGTERM while the store is locked, starts with it locked, and the events are there later", async (t) => {
  const { store, path } = testStore(t);
  const { redis, url } = await startRedis(t);
  const unlock = await lockStore(t, path);
  const appended = await appendEvents(redis, STREAM, 0, 10);
  const first = startWorker(t, dirname(path), url);
  await until("it tells of the trouble", () => first.log().length > 0);
  t.match(first.log(), [{ msg: "trouble", cause: "database is locked" }], "it has started although the store is locked");
  t.equal(await first.end(), 0);
  await unlock();
  startWorker(t, dirname(path), url, { args: ["--claim-after", "1"] });
  await until("another worker has taken them over", () => storedImpressions(store) === appended, 60_000);
});
