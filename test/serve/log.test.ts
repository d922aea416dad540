/** The log of a whole engine: one line an incident, and as much of it as --log-level says. */

import "../helpers/uncovered.js";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { cli } from "../helpers/cli.js";
import { freePort } from "../helpers/engine.js";
import { type Serving, startServing } from "../helpers/serving.js";
import { until } from "../helpers/until.js";

interface Line {
  readonly part: string;
  readonly msg: string;
  readonly cause?: string;
}
const linesOf = (serving: Serving): Line[] =>
  serving
    .log()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
const toldBy = (serving: Serving, part: string): string[] =>
  linesOf(serving)
    .filter((line) => line.part === part)
    .map(({ msg }) => msg);

t.test("a Redis that is not there yet: sync and worker wait for it, and each says so once", async (t) => {
  const popup = cli(t);
  const port = await freePort();
  const serving = await startServing(t, popup, ["--redis", `redis://127.0.0.1:${port}`]);
  const both = (length: number) => (): boolean => ["sync", "worker"].every((part) => toldBy(serving, part).length >= length);
  await until("both tell of it", both(1));
  await until(
    "a decision is asked for",
    async () => (await fetch(`${serving.url}/v1/campaigns/popup?user_id=1`)).headers.get("popup-degraded") === "unavailable",
  );

  const dir = mkdtempSync(join(tmpdir(), "popup-late-"));
  const redis = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir], { stdio: "ignore" });
  const gone = new Promise((resolve) => redis.once("exit", resolve));
  t.teardown(async () => {
    redis.kill("SIGKILL");
    await gone;
    rmSync(dir, { recursive: true, force: true });
  });
  await until("both tell of its end", both(2));
  for (const part of ["sync", "worker"]) t.same(toldBy(serving, part), ["trouble", "trouble is over"], part);
  t.same(toldBy(serving, "serve"), [], "none was started again");
  await until("it serves", async () => (await fetch(`${serving.url}/readyz`)).status === 200);
  t.equal(await serving.end(), 0);
});

t.test("children write what --log-level of the engine says", async (t) => {
  const popup = cli(t);
  const told = await startServing(t, popup, ["--log-level", "info"]);
  await until("the first publish is told", () => toldBy(told, "sync").includes("published"));
  await told.end();
  const silent = await startServing(t, popup, ["--log-level", "silent", "--redis", `redis://127.0.0.1:${await freePort()}`]);
  await until("it is degraded", async () => (await fetch(`${silent.url}/v1/campaigns/popup?user_id=1`)).headers.has("popup-degraded"));
  await silent.end();
  t.same(linesOf(silent), []);
  t.match(await popup(["worker", "--once", "--log-level", "loud"]), { code: 2, stderr: /^popup: --log-level: "loud" is none\n/ });
});
