/**
 * Keeps the embedded Redis running for as long as the engine serves: one that was killed, or that
 * belonged to a command which has ended, is started again on the same socket and append-only file.
 */
import { setTimeout as delay } from "node:timers/promises";
import { reasonOf } from "../errors.js";
import type { Logger } from "../log.js";
import { type EmbeddedRedis, openEmbeddedRedis } from "../redis/embedded.js";

const LOOK_MS = 250;

/** @param dir the folder of the server @throws PopupError `unavailable` when the first start fails */
export async function keepEmbeddedRedis(dir: string, log: Logger): Promise<Pick<EmbeddedRedis, "url" | "stop">> {
  let current = await openEmbeddedRedis(dir);
  const ending = new AbortController();
  const keeping = (async () => {
    while (!ending.signal.aborted) {
      await delay(LOOK_MS, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted || (await current.alive())) continue;
      log.error({ dir }, "the embedded Redis is gone; it is started again");
      try {
        // Gives up the lock of the one that is gone.
        await current.stop();
        current = await openEmbeddedRedis(dir);
      } catch (error) {
        log.error({ cause: reasonOf(error) }, "the embedded Redis could not be started again");
      }
    }
  })();
  return {
    url: current.url,
    stop: async () => {
      ending.abort();
      await keeping;
      await current.stop();
    },
  };
}
