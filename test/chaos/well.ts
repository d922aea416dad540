/** Whether the system itself says that all is well again, and waiting until it does. */
import { setTimeout as delay } from "node:timers/promises";
import { reasonOf } from "../../dist/errors.js";
import { readMetric } from "./metrics.js";
import { backlog } from "./reading.js";
import type { World } from "./world.js";

/** Requests on connections of their own, so that each API process is likely to be among those asked. */
const ASKED = 6;
const LOOK_MS = 50;
let probes = 0;

/** @returns what is still wrong after `patienceMs`, or undefined, and how long it took */
export async function untilWell(world: World, patienceMs: number): Promise<{ readonly trouble: string | undefined; readonly seconds: number }> {
  const started = performance.now();
  for (;;) {
    const trouble = await troubleOf(world).catch(reasonOf);
    const seconds = (performance.now() - started) / 1e3;
    if (trouble === undefined || seconds * 1e3 > patienceMs) return { trouble, seconds };
    await delay(LOOK_MS);
  }
}

async function troubleOf({ serve, look, partitions }: World): Promise<string | undefined> {
  for (let i = 0; i < ASKED; i++) {
    const ready = await ask(`${serve.url}/readyz`);
    if (ready.status !== 200) return `not ready: ${await ready.text()}`;
    // Another customer each time: a decision may hold a place in the caps.
    const popup = await ask(`${serve.url}/v1/campaigns/popup?user_id=probe-${++probes}`);
    await popup.arrayBuffer();
    if (popup.headers.has("popup-degraded")) return `decisions are degraded: ${popup.headers.get("popup-degraded")}`;
    if (popup.status !== 200) return `a customer who may see a popup gets ${popup.status}`;
  }
  const spooled = await readMetric(serve.adminUrl, "popup_spool_records");
  if (spooled !== undefined && spooled > 0) return `the spool holds ${spooled} reports`;
  const waiting = await look((redis) => backlog(redis, partitions));
  return waiting === 0 ? undefined : `the stream holds ${waiting} entries that no worker has acknowledged`;
}

const ask = (url: string): Promise<Response> => fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(2_000) });
