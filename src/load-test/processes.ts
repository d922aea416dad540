/** The load as processes of their own: started together, watched, added up. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PopupError } from "../errors.js";
import { type Latency, sumOf, unpackLatency } from "./latency.js";
import type { CommandMessage, GeneratorMessage, GeneratorPlan, GeneratorReport, Second } from "./messages.js";
import { addTallies, type Tally } from "./tally.js";

/** A plan for all processes together. */
export type LoadPlan = Omit<GeneratorPlan, "share"> & { readonly processes: number };

/** One second of the measured time, all processes together. */
export interface LoadSecond {
  readonly index: number;
  readonly requests: number;
  readonly errors: number;
  readonly latency: Latency;
}

export interface Load {
  readonly measured: Tally;
  readonly warmup: Tally;
  readonly unsent: number;
  readonly replaced: number;
  /** From the beginning of the measured time to its last answer, s. */
  readonly lastAnswerS: number;
  /** For each process: CPU time by wall time, and the share of time in which its event loop had work. */
  readonly usage: readonly { readonly cpu: number; readonly busy: number }[];
  /** How late requests were sent though a connection was free. */
  readonly late: Latency;
  /** What each process told of each second; {@link secondOf} adds it up. Kept packed: a night has many seconds. */
  readonly seconds: readonly (readonly Second[])[];
}

const GENERATOR = fileURLToPath(new URL("./generator-process.js", import.meta.url));

/**
 * Runs the load to its end, or until the signal; then what was measured so far is the result.
 * @param onStart called when every process begins
 * @param onSecond told of each second when every process has told of it
 * @throws PopupError when a process fails
 */
export async function runLoad(plan: LoadPlan, signal: AbortSignal, onStart: () => void, onSecond: (second: LoadSecond) => void): Promise<Load> {
  const { processes, ...shared } = plan;
  const told: Second[][] = [];
  const hear = (second: Second): void => {
    const parts = (told[second.index] ??= []);
    parts.push(second);
    if (parts.length === processes) onSecond(secondOf(parts));
  };
  const children = Array.from({ length: processes }, (_, index) => {
    const connections = Math.floor(plan.connections / processes) + (index < plan.connections % processes ? 1 : 0);
    return start({ ...shared, connections, share: { index, of: processes } }, hear);
  });
  const tellAll = (what: CommandMessage["tell"]): void => {
    // One that is gone has failed, which is found below.
    for (const { child } of children) if (child.connected) child.send({ tell: what } satisfies CommandMessage, () => undefined);
  };
  const stop = (): void => tellAll("stop");
  try {
    await Promise.all(children.map(({ ready }) => ready));
    signal.addEventListener("abort", stop);
    tellAll("start");
    onStart();
    if (signal.aborted) stop();
    return added(await Promise.all(children.map(({ report }) => report)), told);
  } finally {
    signal.removeEventListener("abort", stop);
    for (const { child } of children) if (child.connected) child.disconnect();
  }
}

interface Generator {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly report: Promise<GeneratorReport>;
}

function start(plan: GeneratorPlan, onSecond: (second: Second) => void): Generator {
  const child = fork(GENERATOR, [JSON.stringify(plan)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const failed = (message: string, hint?: string): PopupError =>
    new PopupError("internal", `a load process failed: ${message}`, hint === undefined ? {} : { hint });
  const heard = new Promise<GeneratorReport>((resolve, reject) => {
    child.on("message", (message: GeneratorMessage) => {
      if (message.kind === "second") onSecond(message.second);
      if (message.kind === "report") resolve(message.report);
      if (message.kind === "failed") reject(failed(message.message, message.hint ?? undefined));
    });
    child.once("error", (error) => reject(failed(error.message)));
    child.once("exit", (code, signal) => reject(failed(`it ended with ${String(signal ?? code)} before its report`)));
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.on("message", (message: GeneratorMessage) => {
      if (message.kind === "ready") resolve();
    });
    heard.catch(reject);
  });
  return { child, ready, report: heard };
}

/** One second of all processes; or of several seconds, then counted as the first. */
export function secondOf(parts: readonly Second[]): LoadSecond {
  const sum = (of: (part: Second) => number): number => parts.reduce((all, part) => all + of(part), 0);
  return {
    index: Math.min(...parts.map((part) => part.index)),
    requests: sum((part) => part.requests),
    errors: sum((part) => part.errors),
    latency: sumOf(
      parts.map((part) => unpackLatency(part.latency)),
      2,
    ),
  };
}

function added(reports: readonly GeneratorReport[], seconds: readonly (readonly Second[])[]): Load {
  const sum = (of: (report: GeneratorReport) => number): number => reports.reduce((all, report) => all + of(report), 0);
  return {
    measured: addTallies(reports.map((report) => report.measured)),
    warmup: addTallies(reports.map((report) => report.warmup)),
    unsent: sum((report) => report.unsent),
    replaced: sum((report) => report.replaced),
    lastAnswerS: Math.max(0, ...reports.map((report) => report.lastAnswerS)),
    usage: reports.map(({ cpu, busy }) => ({ cpu, busy })),
    late: sumOf(reports.map((report) => unpackLatency(report.late))),
    seconds,
  };
}
