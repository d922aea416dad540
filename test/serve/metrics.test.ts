/** Metrics of a whole engine: every process' and those of Redis, also while Redis hangs; and a worker's and a sync's of their own. */

import { spawn } from "node:child_process";
import t from "tap";
import { cli, POPUP } from "../helpers/cli.js";
import { freePort } from "../helpers/engine.js";
import { scrape } from "../helpers/metrics.js";
import { bareNode } from "../helpers/node.js";
import { childrenOf, startServing } from "../helpers/serving.js";
import { onTerminal } from "../helpers/terminal.js";
import { until } from "../helpers/until.js";

const CREATE = [
  "campaign",
  "create",
  "--title",
  "Live",
  "--image-url",
  "https://bank.example/a.png",
  "--action-url",
  "bankapp:a",
  "--priority",
  "1",
  "--target",
  "all",
  "--start",
  "2020-01-01",
  "--end",
  "2040-01-01",
  "--status",
  "active",
];

t.test("an engine tells of its processes, its stream and its Redis; doctor puts it into words", async (t) => {
  const popup = cli(t);
  await popup(CREATE);
  const serving = await startServing(t, popup, ["--processes", "2"], { covered: true });
  const read = (): ReturnType<typeof scrape> => scrape(serving.adminUrl);
  await until("every process answers", async () => (await read()).sum("popup_processes") === 4);
  await until("it is live", async () => (await fetch(`${serving.url}/v1/campaigns/popup?user_id=1`)).status === 200);
  for (const id of ["a", "a", "b"])
    await fetch(`${serving.url}/v1/campaigns/1/impression`, { method: "POST", body: JSON.stringify({ user_id: 1, impression_id: id }) });
  const written = await until("the worker has written and acknowledged", async () => {
    const now = await read();
    return now.sum("popup_worker_events_total", { result: "written" }) === 2 && now.sum("popup_stream_pending") === 0 && now;
  });
  t.same(
    written.all("popup_processes").map(({ labels, value }) => [labels.part, value]),
    [
      ["api", 2],
      ["sync", 1],
      ["worker", 1],
    ],
  );
  t.ok((written.sum("popup_worker_batch_seconds_count") ?? 0) > 0);
  for (const name of [
    "popup_worker_trouble",
    "popup_worker_failures_total",
    "popup_sync_trouble",
    "popup_dead_events",
    "popup_stream_oldest_seconds",
    "popup_redis_maxmemory_bytes",
  ])
    t.equal(written.sum(name), 0, name);
  t.equal(written.sum("popup_worker_events_total", { result: "dead" }), 0);
  t.equal(written.sum("popup_sync_publishes_total"), 1);
  for (const name of ["popup_sync_last_publish_timestamp_seconds", "popup_sync_current_timestamp_seconds"]) {
    t.ok(Math.abs((written.sum(name) ?? 0) - Date.now() / 1_000) < 60, `${name} is a time, and not that of several processes added up`);
  }
  t.equal(written.sum("popup_redis_up"), 1);
  t.ok((written.sum("popup_redis_used_memory_bytes") ?? 0) > 100_000);
  t.ok((written.sum("popup_stream_entries") ?? 0) >= 1, "acknowledged ones stay a minute");
  t.same(written.all("popup_stream_lag"), [{ name: "popup_stream_lag", labels: { group: "sqlite" }, value: 0 }]);
  t.same(
    written.all("popup_stream_pending").map(({ value }) => value),
    [0],
  );
  t.match(written.all("popup_published_version_info"), [{ labels: { version: /^\d{8}T\d{6}Z-/ }, value: 1 }]);

  t.same(
    written.all("popup_campaign_info"),
    [{ name: "popup_campaign_info", labels: { campaign: "1", title: "Live" }, value: 1 }],
    "two processes know it, and it is one",
  );
  t.same(
    written.all("popup_impressions_total"),
    [{ name: "popup_impressions_total", labels: { campaign: "1" }, value: 2 }],
    "of three reports, one of them sent twice",
  );

  const admin = serving.adminUrl.slice("http://".length);
  const top = await popup(["top", "--admin", serving.adminUrl, "--json"]);
  t.match(JSON.parse(top.stdout), {
    processes: { api: 2, sync: 1, worker: 1 },
    campaigns: [{ campaign_id: 1, title: "Live", impressions_per_s: 0, impressions: 2 }],
    redis: { up: true },
  });
  const well = await popup(["doctor", "--admin", admin, "--json"]);
  t.match(well, { code: 0, stderr: "" });
  const engine = (JSON.parse(well.stdout) as { check: string; detail: string; level?: string }[]).filter(({ check }) => check === "engine");
  // A busy test machine may have made an answer late, which is a warning at most.
  if (engine.every(({ level }) => level === undefined))
    t.same(
      engine.map(({ detail }) => detail),
      [`${admin}: nothing is wrong (api 2, sync 1, worker 1)`],
    );
  else
    t.same(
      engine.filter(({ level }) => level !== "warning"),
      [],
    );

  // Where there is util-linux' script.
  if (process.platform === "linux") {
    const terminal = onTerminal(`stty columns 80 rows 24; exec ${process.execPath} ${POPUP} top --admin ${admin}`, popup.env);
    const exited = new Promise<number | null>((resolve) => terminal.once("exit", resolve));
    let seen = "";
    terminal.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    await until("a second frame is drawn", () => seen.split("\u001b[H").length > 2);
    terminal.stdin.write("\u0003");
    t.equal(await exited, 0, "Ctrl-C ends it");
    t.ok(seen.startsWith("\u001b[?1049h\u001b[?25l\u001b[Hpopup top  "), "the other screen, without a cursor");
    t.match(seen, "\r\ndecisions   ");
    t.equal(seen.match(/\u001b\[\?25h\u001b\[\?1049l/g)?.length, 1, "and the terminal as it was");
  }

  const [worker = 0] = await childrenOf(serving.process.pid ?? 0, " worker ");
  process.kill(worker, "SIGSTOP");
  const ill = await popup(["doctor", "--admin", admin]);
  process.kill(worker, "SIGCONT");
  t.match(ill, {
    code: 1,
    stdout: /\nALARM {2,}PopupProcessMissing +no worker process answers\n(?:[^]*\n)?PopupProcessMissing: the log/,
    stderr: /checks failed: engine\n/,
  });
});

t.test("a scrape does not wait for a Redis that hangs, and sees that it is back", async (t) => {
  const popup = cli(t);
  const serving = await startServing(t, popup);
  await until("Redis is seen", async () => (await scrape(serving.adminUrl)).sum("popup_redis_up") === 1);
  const [redis = 0] = await childrenOf(serving.process.pid ?? 0, "redis-server");
  process.kill(redis, "SIGSTOP");
  const scrapes = await Promise.all(Array.from({ length: 20 }, () => scrape(serving.adminUrl)));
  process.kill(redis, "SIGCONT");
  for (const now of scrapes) {
    if (
      now.sum("popup_redis_up") === 0 &&
      now.all("popup_stream_lag").length === 0 &&
      now.sum("popup_redis_used_memory_bytes") === undefined &&
      now.sum("popup_processes", { part: "api" }) === 1
    )
      continue;
    t.fail("a scrape that does not say that Redis is down");
  }
  await until("it is seen again", async () => (await scrape(serving.adminUrl)).sum("popup_redis_up") === 1);
});

t.test("a worker and a sync that run apart serve their own, and only those", async (t) => {
  const popup = cli(t);
  await popup(CREATE);
  const serving = await startServing(t, popup, ["--api-only"]);
  const only = await scrape(serving.adminUrl);
  t.same(
    only.all("popup_processes").map(({ labels }) => labels.part),
    ["api"],
  );
  for (const [args, name] of [
    [["sync", "--watch"], "popup_sync_publishes_total"],
    [["worker"], "popup_worker_events_total"],
  ] as const) {
    const port = await freePort();
    const child = spawn("env", [...bareNode(), POPUP, ...args, "--admin", `127.0.0.1:${port}`], { env: popup.env, stdio: "ignore" });
    const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
    t.teardown(() => child.kill("SIGKILL"));
    const own = await until(`${args[0]} answers`, async () => {
      const now = await scrape(`http://127.0.0.1:${port}`).catch(() => undefined);
      return now && now.all(name).length > 0 && now;
    });
    t.notOk(
      own.samples.some((sample) => sample.name.startsWith("popup_") && !sample.name.startsWith(`popup_${args[0]}`) && sample.name !== "popup_dead_events"),
      args[0],
    );
    child.kill("SIGTERM");
    t.equal(await exited, 0, `${args[0]} ends`);
  }
});
