/** The engine of a soak: `popup serve` with its embedded Redis on the load test's campaigns, in a temporary folder. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fillStore } from "../../dist/load-test/own-campaigns.js";
import { openUsers, parseUsers } from "../../dist/load-test/users.js";
import { freePort } from "../../dist/private-engine.js";
import { openStore } from "../../dist/store/store.js";
import { childrenOf, ROLES } from "../chaos/proc.js";
import { Serve } from "../chaos/serve.js";
import { until } from "../helpers/until.js";
import type { Watched } from "./samples.js";

export interface SoakEngine {
  readonly serve: Serve;
  readonly heaps: string;
  readonly redisSocket: string;
  readonly watched: readonly Watched[];
  close(): Promise<void>;
}

const HEAP_REPORT = fileURLToPath(new URL("./heap-report.js", import.meta.url));
const CAMPAIGNS = 50;

/** @param users as `popup bench --users` has them @param collectMs how often the processes collect their garbage and tell what their heaps hold */
export async function openEngine(users: string, seed: number, collectMs: number): Promise<SoakEngine> {
  const dir = mkdtempSync(join(tmpdir(), "popup-soak-"));
  const [dataDir, heaps] = [join(dir, "data"), join(dir, "heaps")];
  mkdirSync(heaps);
  const store = openStore(join(dataDir, "popup.db"), { actor: "soak" });
  try {
    fillStore(store, openUsers(parseUsers(users)), CAMPAIGNS, seed);
  } finally {
    store.close();
  }
  const serve = new Serve({
    port: await freePort(),
    adminPort: await freePort(),
    dataDir,
    redisUrl: "embedded",
    processes: 1,
    logFile: join(dir, "serve.log"),
    nodeOptions: `--import=${HEAP_REPORT}`,
    env: { SOAK_HEAPS: heaps, SOAK_COLLECT_MS: String(collectMs) },
  });
  await serve.start();
  await until("the engine is ready", () =>
    fetch(`${serve.url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
  return {
    serve,
    heaps,
    redisSocket: join(dataDir, "redis", "redis.sock"),
    watched: watchedOf(serve),
    close: async () => {
      await serve.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function watchedOf(serve: Serve): Watched[] {
  const node = ROLES.flatMap((role) => serve.pids(role).map((pid) => ({ name: role, pid, isNode: true })));
  const redis = childrenOf(serve.pids("supervisor")[0] ?? 0)
    .filter(({ command }) => command.includes("redis-server"))
    .map(({ pid }) => ({ name: "redis", pid, isNode: false }));
  if (node.length !== ROLES.length || redis.length !== 1)
    throw new Error(`not every process of the engine runs: ${[...node, ...redis].map(({ name }) => name).join(", ")}`);
  return [...node, ...redis];
}
