/** Live figures on a terminal. */
import { SingleBar } from "cli-progress";
import { percentileMs } from "./latency.js";
import type { LoadSecond } from "./processes.js";
import { msText } from "./tables.js";

export interface Progress {
  start(): void;
  second(second: LoadSecond): void;
  stop(): void;
}

const LOOK_MS = 250;

/** A bar on stderr. */
export function terminalProgress(warmupS: number, durationS: number): Progress {
  const totalS = warmupS + durationS;
  const bar = new SingleBar({
    format: "{phase} {bar} {elapsed} of {whole} s  {rps} rps  p99 {p99} ms  {errors} errors",
    stream: process.stderr,
    hideCursor: true,
    barsize: 24,
    clearOnComplete: true,
    stopOnComplete: false,
    linewrap: false,
  });
  let errors = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    start: () => {
      const begun = performance.now();
      bar.start(totalS, 0, { phase: "warm-up", elapsed: 0, whole: totalS, rps: "–", p99: "–", errors: 0 });
      timer = setInterval(() => {
        const elapsed = (performance.now() - begun) / 1_000;
        bar.update(Math.min(elapsed, totalS), {
          elapsed: Math.floor(elapsed),
          phase: elapsed < warmupS ? "warm-up" : elapsed < totalS ? "measure" : "ending ",
        });
      }, LOOK_MS);
    },
    second: (second) => {
      errors += second.errors;
      bar.update({ rps: (second.requests - second.errors).toLocaleString("en-US"), p99: msText(percentileMs(second.latency, 99)), errors });
    },
    stop: () => {
      clearInterval(timer);
      bar.stop();
    },
  };
}

export const noProgress: Progress = { start: () => undefined, second: () => undefined, stop: () => undefined };
