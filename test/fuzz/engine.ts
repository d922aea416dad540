/** The engine that is fuzzed: `popup serve` with one API process, Redis, sync and worker, in a temporary folder. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../dist/private-engine.js";
import { importCampaigns } from "../../dist/store/campaign-changes.js";
import { openStore } from "../../dist/store/store.js";
import { Serve } from "../chaos/serve.js";
import { until } from "../helpers/until.js";

const SET_ASIDE = "events were set aside";
/** The lines of an engine that is well, however busy. */
const USUAL = new Set(["published", "trouble", "trouble is over", "Redis does not have all counters; they are restored", "all counters are restored"]);

export interface FuzzedEngine {
  readonly serve: Serve;
  readonly port: number;
  /** Of the API process, if one runs. */
  pid(): number | undefined;
  /** What the log tells that it should not. @param spooled reports of which the worker may have set aside some */
  complaints(spooled: number): string[];
  close(): Promise<void>;
}

export async function openEngine(): Promise<FuzzedEngine> {
  const dir = mkdtempSync(join(tmpdir(), "popup-fuzz-"));
  const [dataDir, logFile] = [join(dir, "data"), join(dir, "serve.log")];
  const store = openStore(join(dataDir, "popup.db"), { actor: "fuzz" });
  try {
    importCampaigns(store, campaigns(), "fuzz");
  } finally {
    store.close();
  }
  const serve = new Serve({ port: await freePort(), adminPort: await freePort(), dataDir, redisUrl: "embedded", processes: 1, env: {}, logFile });
  await serve.start();
  await until("the engine is ready", () =>
    fetch(`${serve.url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
  return {
    serve,
    port: serve.plan.port,
    pid: () => serve.pids("api")[0],
    complaints: (spooled) => {
      let aside = 0;
      return readFileSync(logFile, "utf8")
        .split("\n")
        .filter((line) => line !== "" && !isUsual(line) && !(line.includes(SET_ASIDE) && (aside += (JSON.parse(line) as { dead: number }).dead) <= spooled));
    },
    close: async () => {
      await serve.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** In the order of `CAMPAIGNS`: one that always has room, so that every decision is a popup. */
function campaigns(): Record<string, unknown>[] {
  const common = {
    image_url: "https://bank.example/i.png",
    action_url: "bankapp:x",
    target: "all",
    start_time: "2020-01-01T00:00:00Z",
    end_time: "2040-01-01T00:00:00Z",
    status: "active",
  };
  return [
    { ...common, title: "Always", priority: 0 },
    { ...common, title: "Capped", priority: 20, caps: ["2/day", "1/session"], stop_after: ["dismiss"] },
    { ...common, title: "Counted when shown", priority: 10, caps: ["3/total"], count_on: "serve" },
  ];
}

function isUsual(line: string): boolean {
  if (!line.startsWith("{")) return line.startsWith("popup listens on");
  const { level, msg } = JSON.parse(line) as { level: number; msg: string };
  return level < 50 && USUAL.has(msg);
}
