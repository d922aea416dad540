/** A full disk: nothing is acknowledged that was not written, work goes on when there is room, and the store is whole. */

import "../helpers/uncovered.js";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Redis } from "ioredis";
import type { Test } from "tap";
import t from "tap";
import { openStore } from "../../dist/store/store.js";
import { startRedis } from "../helpers/redis.js";
import { storedImpressions } from "../helpers/stored.js";
import { until } from "../helpers/until.js";
import { appendEvents, startWorker, type WorkerProcess } from "../helpers/worker-process.js";

const STREAM = "impressions";
const pendingOf = async (redis: Redis): Promise<number> => ((await redis.xpending(STREAM, "sqlite")) as [number])[0];
const integrity = (path: string): unknown => {
  const db = new Database(path, { readonly: true });
  try {
    return db.pragma("integrity_check", { simple: true });
  } finally {
    db.close();
  }
};

/** Feeds the worker until it is in trouble, gives it room again, and holds what was stored against what was appended. */
async function fillAndGoOn(
  t: Test,
  { path, redis, worker, cause, giveRoom }: { path: string; redis: Redis; worker: WorkerProcess; cause: RegExp; giveRoom: () => void },
): Promise<void> {
  const store = openStore(path, { actor: "test" });
  t.teardown(() => store.close());
  let appended = 0;
  await until("the disk is full", async () => {
    appended = await appendEvents(redis, STREAM, appended, 100);
    return worker.log().length > 0;
  });
  appended = await appendEvents(redis, STREAM, appended, 100);
  const pending = await pendingOf(redis);
  const [group] = (await redis.xinfo("GROUPS", STREAM)) as unknown[][];
  const lag = Number(group?.[group.indexOf("lag") + 1]);
  const stored = storedImpressions(store);
  t.ok(stored < appended, `${stored} of ${appended} are stored`);
  t.ok((pending + lag) * 5 >= appended - stored, `${pending} entries are pending and ${lag} were not read: all that is not stored`);
  t.equal(integrity(path), "ok");
  giveRoom();
  await until("everything is stored", async () => storedImpressions(store) === appended && (await pendingOf(redis)) === 0);
  await until("the end is told", () => worker.log().length === 2);
  t.match(worker.log(), [{ msg: "trouble", cause }, { msg: "trouble is over" }]);
  t.equal(store.events.userIds().length, appended, "each once");
  t.equal(store.deadEvents.count(), 0, "and the disk is not held against any event");
  t.equal(await worker.end(), 0);
  t.equal(integrity(path), "ok");
}

t.test("a limit on the size of files: the write fails with an error of its own", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "popup-full-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { redis, url } = await startRedis(t);
  // The soft limit only: it can be raised while the process runs.
  const worker = startWorker(t, dir, url, { args: ["--quiet"], under: ["prlimit", "--fsize=1000000:unlimited"] });
  await until("the store is there", async () => (await redis.exists(STREAM)) === 1);
  await fillAndGoOn(t, {
    path: join(dir, "popup.db"),
    redis,
    worker,
    cause: /disk I\/O error|full/,
    giveRoom: () => execFileSync("prlimit", [`--pid=${worker.child.pid}`, "--fsize=unlimited"]),
  });
});

t.test("a file system without room", async (t) => {
  const mount = mkdtempSync(join(tmpdir(), "popup-small-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", mount]).status === 0;
  t.teardown(() => {
    if (mounted) execFileSync("umount", ["--lazy", mount]);
    rmSync(mount, { recursive: true, force: true });
  });
  if (!mounted) {
    t.comment("this user may not mount: the limit above stands for it");
    return;
  }
  const dir = join(mount, "data");
  mkdirSync(dir);
  writeFileSync(join(mount, "filler"), Buffer.alloc(2_000_000));
  const { redis, url } = await startRedis(t);
  const worker = startWorker(t, dir, url, { args: ["--quiet"] });
  await until("the store is there", async () => (await redis.exists(STREAM)) === 1);
  await fillAndGoOn(t, {
    path: join(dir, "popup.db"),
    redis,
    worker,
    cause: /database or disk is full/,
    // Enough for whatever was appended until the worker said that there is none.
    giveRoom: () => execFileSync("mount", ["-o", "remount,size=256m", mount]),
  });
});
