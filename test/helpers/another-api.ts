/** A further API process' worth beside a test's engine, on the same Redis and clock, with other options. */
import { pino } from "pino";
import type { Test } from "tap";
import { type ApiOptions, openApi } from "../../dist/app.js";
import { freePort, PATIENT_MS, TestEngine } from "./engine.js";

/** Closed at the test's teardown. @returns the engine as it is asked over this API */
export async function anotherApi(t: Test, engine: TestEngine, options: Partial<ApiOptions>): Promise<TestEngine> {
  const api = await openApi({
    redisUrl: engine.redisUrl,
    prefix: "",
    host: "127.0.0.1",
    port: await freePort(),
    clock: () => engine.now,
    log: pino({ level: "silent" }),
    decisionDeadlineMs: PATIENT_MS,
    spool: null,
    ...options,
  });
  t.teardown(() => api.close());
  return new TestEngine(engine.dir, engine.store, engine.redis, engine.redisUrl, engine.keys, engine.worker, api);
}
