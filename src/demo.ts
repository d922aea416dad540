/** The demo: real commands and real requests against a private engine, each printed as it is made. */
import { execFileSync, fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { configEnv, type Config } from "./config.js";
import { PopupError } from "./errors.js";
import { PACKAGE_ROOT } from "./version.js";

const POPUP = join(PACKAGE_ROOT, "bin", "popup.js");
const READY_MS = 30_000;

/** @param say prints one line */
export async function runDemo(say: (line: string) => void, base: Config): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "popup-demo-"));
  const env = configEnv({ ...base, dataDir: dir, redisUrl: "embedded", prefix: "" });
  const popup = (...args: string[]): void => {
    say(`\n$ popup ${args.join(" ")}`);
    say(execFileSync(process.execPath, [POPUP, ...args], { env, cwd: PACKAGE_ROOT, encoding: "utf8" }).trimEnd());
  };
  let engine: ChildProcess | undefined;
  try {
    say(`A private engine in ${dir}`);
    popup("settings", "set", "timezone", "Asia/Jakarta");
    popup("segment", "load", "payroll", "fixtures/segment-payroll.csv");
    popup("segment", "load", "staff", "fixtures/segment-staff.csv");
    popup("campaign", "import", "fixtures/campaigns.json");
    popup("users", "load", "1", "fixtures/users-cashback.csv");
    popup("campaign", "list");

    const port = await freePort();
    say(`\n$ popup serve --port ${port}`);
    engine = fork(POPUP, ["serve", "--port", String(port), "--admin", "off", "--quiet"], { env, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const url = `http://127.0.0.1:${port}`;
    await untilReady(url, engine);
    say("ready: Redis, HTTP, sync and worker run, and the campaigns are published");

    await showUntilCapped(say, url);
    say("\nStopping the engine; the worker writes what is left.");
    await stop(engine);
    popup("worker", "--once");
    popup("report");
  } finally {
    if (engine) await stop(engine);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Customers log in; each popup is reported as shown until no campaign has room for them. */
async function showUntilCapped(say: (line: string) => void, url: string): Promise<void> {
  for (const [user, who] of [["1001", "on the cashback list"], ["2002", "on the payroll"], ["cust-7f3a", "a string id, on the payroll"], ["9999", "in no list"]] as const) {
    say(`\nCustomer ${user}, ${who}:`);
    for (;;) {
      const path = `/v1/campaigns/popup?user_id=${user}`;
      const answer = await fetch(url + path);
      say(`GET ${path}\n  ${answer.status} ${await peek(answer)}`);
      if (answer.status !== 200) break;
      const { campaign_id: id, impression_id: impressionId } = (await answer.json()) as { campaign_id: number; impression_id: string };
      const body = JSON.stringify({ user_id: user, impression_id: impressionId });
      const receipt = await fetch(`${url}/v1/campaigns/${id}/impression`, { method: "POST", body });
      say(`POST /v1/campaigns/${id}/impression ${body}\n  ${receipt.status} ${await receipt.text()}`);
    }
  }
}

async function peek(answer: Response): Promise<string> {
  return answer.status === 204 ? "(no popup: every campaign meant for this customer has reached its cap)" : answer.clone().text();
}

async function untilReady(url: string, engine: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline && engine.exitCode === null) {
    const ready = await fetch(`${url}/readyz`).then((answer) => answer.status === 200, () => false);
    if (ready) return;
    await delay(50);
  }
  throw new PopupError("unavailable", "the engine did not become ready", { hint: "popup doctor checks this machine" });
}

async function stop(engine: ChildProcess): Promise<void> {
  if (engine.exitCode !== null || engine.signalCode !== null) return;
  const exited = new Promise((resolve) => engine.once("exit", resolve));
  engine.kill("SIGTERM");
  await exited;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address ? resolve(address.port) : reject(new PopupError("unavailable", "no free port"))));
    });
  });
}
