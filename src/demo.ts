/** The demo: real commands and real requests against a private engine, each printed as it is made. */
import { execFileSync } from "node:child_process";
import { type Config, configEnv } from "./config.js";
import { freePort, inTemporaryFolder, POPUP, startPrivateEngine } from "./private-engine.js";
import { PACKAGE_ROOT } from "./version.js";

/** @param say prints one line */
export async function runDemo(say: (line: string) => void, base: Config): Promise<void> {
  await inTemporaryFolder("demo", base, async (config) => {
    const env = configEnv(config);
    const popup = (...args: string[]): void => {
      say(`\n$ popup ${args.join(" ")}`);
      say(execFileSync(process.execPath, [POPUP, ...args], { env, cwd: PACKAGE_ROOT, encoding: "utf8" }).trimEnd());
    };
    say(`A private engine in ${config.dataDir}`);
    popup("settings", "set", "timezone", "Asia/Jakarta");
    popup("segment", "load", "payroll", "fixtures/segment-payroll.csv");
    popup("segment", "load", "staff", "fixtures/segment-staff.csv");
    popup("campaign", "import", "fixtures/campaigns.json");
    popup("users", "load", "1", "fixtures/users-cashback.csv");
    popup("campaign", "list");

    const port = await freePort();
    say(`\n$ popup serve --port ${port}`);
    const engine = await startPrivateEngine(config, port);
    try {
      say("ready: Redis, HTTP, sync and worker run, and the campaigns are published");
      await showUntilCapped(say, engine.url);
      say("\nStopping the engine; the worker writes what is left.");
    } finally {
      await engine.stop();
    }
    popup("worker", "--once");
    popup("report");
  });
}

/** Customers log in; each popup is reported as shown until no campaign has room for them. */
async function showUntilCapped(say: (line: string) => void, url: string): Promise<void> {
  for (const [user, who] of [
    ["1001", "on the cashback list"],
    ["2002", "on the payroll"],
    ["cust-7f3a", "a string id, on the payroll"],
    ["9999", "in no list"],
  ] as const) {
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
