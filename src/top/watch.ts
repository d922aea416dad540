/** Looks at an engine again and again. */
import { setTimeout as delay } from "node:timers/promises";
import type { Exposition } from "../doctor/exposition.js";
import { findings } from "../doctor/findings.js";
import { scrape } from "../doctor/scrape.js";
import { PopupError } from "../errors.js";
import type { Clock } from "../time.js";
import { type TopView, viewOf } from "./view.js";

interface Address {
  readonly host: string;
  readonly port: number;
}
interface Look {
  readonly metrics: Exposition /** Epoch ms. */;
  readonly at: number;
}

/**
 * A view after each interval, until the signal; the trouble in its place while the engine does not answer.
 * @throws PopupError `unavailable` when it does not answer at first
 */
export async function* watch(address: Address, intervalS: number, clock: Clock, signal?: AbortSignal): AsyncGenerator<TopView | PopupError> {
  let before = await look(address, clock);
  for (;;) {
    await delay(intervalS * 1_000, undefined, { ...(signal ? { signal } : {}) }).catch(() => undefined);
    if (signal?.aborted === true) return;
    let now: Look;
    try {
      now = await look(address, clock);
    } catch (error) {
      if (!(error instanceof PopupError)) throw error;
      yield error;
      continue;
    }
    const time = now.at / 1_000;
    yield viewOf(before.metrics, now.metrics, Math.max(1, now.at - before.at) / 1_000, time, findings({ now: now.metrics, before: before.metrics, time }));
    before = now;
  }
}

async function look(address: Address, clock: Clock): Promise<Look> {
  const metrics = await scrape(address);
  return { metrics, at: clock() };
}
