/** `popup serve` and its processes: a change goes live, a dead process is replaced, SIGTERM ends it cleanly. */
import t from "tap";
import { type Cli, cli, POPUP } from "../helpers/cli.js";
import { startLasting } from "../helpers/lasting.js";
import { startRedis } from "../helpers/redis.js";
import { childrenOf, reported, startServing } from "../helpers/serving.js";
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

const popupOf = async (url: string, user: string): Promise<{ campaign_id: number; impression_id: string } | null> => {
  const answer = await fetch(`${url}/v1/campaigns/popup?user_id=${user}`);
  return answer.status === 200 ? ((await answer.json()) as { campaign_id: number; impression_id: string }) : null;
};

const impressionsOf = async (popup: Cli): Promise<number> => {
  const { stdout } = await popup(["report", "--json"]);
  return (JSON.parse(stdout) as { impressions: number }[]).reduce((sum, row) => sum + row.impressions, 0);
};

t.test("two API processes, sync and worker: a campaign goes live, is counted and stored, and goes out", async (t) => {
  const popup = cli(t);
  const serving = await startServing(
    t,
    popup,
    ["--processes", "2", "--demo", "--cors-origin", "https://app.bank.example", "--cors-origin", "https://other.bank.example"],
    { covered: true },
  );
  const health = await fetch(`${serving.url}/healthz`, { headers: { origin: "https://other.bank.example" } });
  t.match([health.status, health.headers.get("access-control-allow-origin")], [200, "https://other.bank.example"]);
  t.equal((await fetch(`${serving.url}/demo`)).status, 200);
  t.match(serving.log(), `the demo page is at ${serving.url}/demo`);
  await until("an empty list is published", async () => (await fetch(`${serving.url}/readyz`)).status === 200);

  t.equal((await popup([...CREATE, "--quiet"])).stdout, "1\n");
  const started = Date.now();
  const shown = await until("the campaign is live", () => popupOf(serving.url, "5"));
  t.comment(`live ${Date.now() - started} ms after the command ended`);
  t.equal(shown.campaign_id, 1);
  const receipt = await reported(() =>
    fetch(`${serving.url}/v1/campaigns/1/impression`, { method: "POST", body: JSON.stringify({ user_id: 5, impression_id: shown.impression_id }) }),
  );
  t.equal(receipt, '{"counted":true,"total":1}');
  await until("the worker has stored it", async () => (await impressionsOf(popup)) === 1);

  const metrics = await (await fetch(`${serving.adminUrl}/metrics`)).text();
  t.match(metrics, /popup_decisions_total\{result="show"\} [1-9]/);
  t.match(metrics, /popup_reports_total\{type="impression",result="(?:counted|spooled)"\} 1/);
  t.equal((await fetch(`${serving.url}/metrics`)).status, 404, "metrics are on the admin listener only");

  await popup(["campaign", "pause", "1"]);
  await until("the campaign is out", async () => (await popupOf(serving.url, "6")) === null);
  t.equal(await serving.end("SIGTERM"), 0, "SIGTERM ends it with 0");
  await t.rejects(fetch(`${serving.url}/healthz`), "and nothing listens any more");
});

t.test("counts survive a restart, and a SIGINT is as clean", async (t) => {
  const popup = cli(t);
  await popup([...CREATE, "--cap", "1/total"]);
  const first = await startServing(t, popup);
  const shown = await until("the campaign is live", () => popupOf(first.url, "7"));
  await fetch(`${first.url}/v1/campaigns/1/impression`, { method: "POST", body: JSON.stringify({ user_id: "7", impression_id: shown.impression_id }) });
  t.equal(await first.end("SIGINT"), 0);
  const second = await startServing(t, popup);
  await until("others see it", () => popupOf(second.url, "8"));
  t.equal(await popupOf(second.url, "7"), null, "the cap of the first run holds");
});

t.test("killed processes: a worker and Redis are replaced, and a killed supervisor's Redis is taken over", async (t) => {
  const popup = cli(t);
  await popup(CREATE);
  const serving = await startServing(t, popup, [], { covered: true });
  const pid = serving.process.pid ?? 0;
  const [worker = 0] = await until("the worker runs", async () => {
    const pids = await childrenOf(pid, " worker ");
    return pids.length > 0 ? pids : undefined;
  });
  process.kill(worker, "SIGKILL");
  const shown = await until("the campaign is live", () => popupOf(serving.url, "9"));
  await fetch(`${serving.url}/v1/campaigns/1/impression`, { method: "POST", body: JSON.stringify({ user_id: "9", impression_id: shown.impression_id }) });
  await until("a new worker has stored the event", async () => (await impressionsOf(popup)) === 1);
  t.match(serving.log(), "a process ended by itself");

  const [redis = 0] = await childrenOf(pid, "redis-server");
  process.kill(redis, "SIGKILL");
  await until("the killed Redis is back, with the count in it", async () => {
    const body = JSON.stringify({ user_id: "9", impression_id: shown.impression_id });
    const answer = await fetch(`${serving.url}/v1/campaigns/1/impression`, { method: "POST", body });
    return (await answer.text()) === '{"counted":false,"reason":"duplicate"}';
  });

  const [left = 0] = await childrenOf(pid, "redis-server");
  await serving.end("SIGKILL");
  t.doesNotThrow(() => process.kill(left, 0), "Redis outlives its killed supervisor");
  const again = await startServing(t, popup);
  await until("the campaign is live again", () => popupOf(again.url, "10"));
  t.equal(await again.end(), 0);
  t.throws(() => process.kill(left, 0), { code: "ESRCH" }, "the left-over Redis was taken over, and ended with the engine");
});

t.test("a taken port is said at once", async (t) => {
  const popup = cli(t);
  const serving = await startServing(t, popup, ["--api-only"]);
  const port = new URL(serving.url).port;
  const other = cli(t);
  t.match(await other(["serve", "--port", port, "--admin", "off"]), {
    code: 1,
    stdout: "",
    stderr: `popup: 127.0.0.1:${port} is taken by another process\n  choose another with --host or --port\n`,
  });
  t.match(await childrenOf(serving.process.pid ?? 0, "sync"), [], "--api-only runs no sync");
});

t.test("it waits until it is ready where another has the port, and ends at SIGTERM all the same", async (t) => {
  const redis = await startRedis(t);
  const popup = cli(t);
  popup.env.POPUP_REDIS_URL = redis.url;
  const serving = await startServing(t, popup, ["--api-only"]);
  await popup(["sync"]);
  const { port } = new URL(serving.url);
  // Under this prefix nothing is published.
  const line = `serve --api-only --share-port --port ${port} --admin off --prefix other:`;
  const other = startLasting(t, [process.execPath, POPUP, ...line.split(" ")], popup.env);
  await until("it waits", async () => other.log().includes("another engine has the port") && (await childrenOf(other.pid, "api-process")).length > 0);
  for (let n = 0; n < 20; n++) t.equal((await fetch(`${serving.url}/readyz`, { headers: { connection: "close" } })).status, 200);
  t.equal(await other.end(), 0, other.log());
  t.notMatch(other.log(), "popup listens on");
  t.match(await popup(["serve", "--api-only", "--share-port", "--port", port, "--admin", new URL(serving.adminUrl).host]), {
    code: 1,
    stderr: /the admin listener cannot have/,
  });
  t.equal((await fetch(`${serving.url}/readyz`)).status, 200);
});

t.test("wrong flags are refused before anything starts", async (t) => {
  const popup = cli(t);
  for (const args of [
    ["--port", "0"],
    ["--port", "65536"],
    ["--processes", "0"],
    ["--admin", "9464"],
    ["--interval", "0"],
    ["--interval", "3601"],
    ["--cors-origin", "app.bank.example"],
    ["--drain", "301"],
  ]) {
    const { code, stderr } = await popup(["serve", ...args]);
    t.equal(code, 2, args.join(" "));
    t.match(stderr, `popup: ${args[0]}: "${args[1]}" is not`);
  }
  t.match(await popup(["serve", "--share-port"]), { code: 2, stderr: /^popup: --share-port: two engines cannot share an embedded Redis.*\n {2}./ });
  t.match(await popup(["serve", "--demo", "--auth", "key"]), { code: 2, stderr: /^popup: --demo: has no credentials to give to --auth key\n {2}./ });
});
