/** A load test from its plan to its result. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { openConfiguredStore } from "../background.js";
import type { Config } from "../config.js";
import { invalid, PopupError, reasonOf } from "../errors.js";
import { freePort, inTemporaryFolder, startPrivateEngine } from "../private-engine.js";
import { type Assertion, failures } from "./assertions.js";
import { curveOf } from "./latency.js";
import { fillStore } from "./own-campaigns.js";
import { pageOf } from "./page.js";
import { type Load, type LoadPlan, runLoad } from "./processes.js";
import type { Progress } from "./progress.js";
import { type BenchResult, resultOf } from "./result.js";
import { checkTarget } from "./target.js";
import { openUsers } from "./users.js";

export interface BenchRun {
  readonly load: Load;
  readonly result: BenchResult;
}

/** The flags as they were written. */
export interface Words {
  readonly mix: string;
  readonly users: string;
}

/**
 * Puts an engine under load.
 * @param signal ends it early: the result is then that of what was measured, and says so
 * @throws PopupError `unavailable` when no engine is ready there, `conflict` when the signal comes before anything is measured
 */
export async function bench(plan: LoadPlan, words: Words, progress: Progress, signal: AbortSignal): Promise<BenchRun> {
  await checkTarget(plan.url);
  stopHere(signal);
  let started = Date.now();
  let stoppedAfterS: number | null = null;
  const onStop = (): void => {
    const measuredS = (Date.now() - started) / 1_000 - plan.warmupS;
    if (measuredS < plan.durationS) stoppedAfterS = measuredS;
  };
  signal.addEventListener("abort", onStop);
  try {
    const load = await runLoad(
      plan,
      signal,
      () => {
        started = Date.now();
        progress.start();
      },
      (second) => progress.second(second),
    );
    if (stoppedAfterS !== null && stoppedAfterS <= 0) stopHere(signal);
    return { load, result: resultOf(load, { plan, ...words, startedMs: started, stoppedAfterS }) };
  } finally {
    signal.removeEventListener("abort", onStop);
    progress.stop();
  }
}

/**
 * Puts an engine of its own under load, with generated campaigns; nothing is left of it.
 * @param say told when the engine is ready
 * @throws PopupError as {@link bench} does
 */
export async function benchSelf(
  base: Config,
  plan: Omit<LoadPlan, "url">,
  campaigns: number,
  words: Words,
  progress: Progress,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<BenchRun> {
  return inTemporaryFolder("bench", base, async (config) => {
    const store = openConfiguredStore(config);
    try {
      fillStore(store, openUsers(plan.users), campaigns, plan.seed);
    } finally {
      store.close();
    }
    stopHere(signal);
    const engine = await startPrivateEngine(config, await freePort(), { signal }).catch((error: unknown) => {
      stopHere(signal);
      throw error;
    });
    try {
      say(`a private engine with ${campaigns} active campaigns at ${engine.url}, in ${config.dataDir}`);
      return await bench({ ...plan, url: engine.url }, words, progress, signal);
    } finally {
      await engine.stop();
    }
  });
}

/** Looks before the run whether the page can be written after it. @throws PopupError `invalid` */
export function checkPagePath(path: string): void {
  try {
    if (existsSync(path) && statSync(path).isDirectory()) throw new Error("it is a folder");
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw invalid(
      "--html",
      `${path} cannot be written: ${missing ? "its folder does not exist" : reasonOf(error)}`,
      "name a file in a folder that exists and that you may write to",
    );
  }
}

/** The result as a page of its own. */
export function benchPage({ load, result }: BenchRun, assertions: readonly Assertion[]): string {
  return pageOf({
    result,
    curves: { get: curveOf(load.measured.get.latency), post: curveOf(load.measured.post.latency) },
    assertions: assertions.map(({ text }) => text),
    failures: failures(assertions, result),
  });
}

function stopHere(signal: AbortSignal): void {
  if (signal.aborted) throw new PopupError("conflict", "stopped before anything was measured", { hint: "run it again" });
}
