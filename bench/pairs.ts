/** Closed-loop runs with their CPU time, and pairs of them whose ratio is what a case claims. */
import { setTimeout as delay } from "node:timers/promises";
import { addAnswers, answersBetween, badAnswers, answersText, type Answers } from "./answers.js";
import type { CaseContext, Table } from "./case.js";
import { cpuNs } from "./proc.js";
import type { Subject } from "./servers.js";
import { median, ratioOf, type Ratio } from "./stats.js";
import { runWrk, type Load } from "./wrk.js";

export interface Run {
  readonly subject: string;
  readonly requests: number;
  readonly rps: number;
  /** µs of CPU per request, all threads: of the API process, of its Redis, and both. */
  readonly apiUs: number;
  readonly redisUs: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answers: Answers;
  /** What makes the run no measurement. */
  readonly problems: readonly string[];
}

/** @param seconds whole @param seed another in every run */
export async function measure(subject: Subject, load: Load, seconds: number, seed: number): Promise<Run> {
  const before = await subject.answers();
  const api = cpuNs(subject.apiPid);
  const redis = cpuNs(subject.redisPid);
  const wrk = await runWrk(subject.url, load, seconds, seed);
  const apiUs = (cpuNs(subject.apiPid) - api) / 1e3 / wrk.requests;
  const redisUs = (cpuNs(subject.redisPid) - redis) / 1e3 / wrk.requests;
  const answers = answersBetween(before, await subject.answers());
  const bad = { ...badAnswers(answers), ...wrk.errors };
  return {
    subject: subject.name, requests: wrk.requests, rps: wrk.requests / wrk.seconds, apiUs, redisUs, cpuUs: apiUs + redisUs, p50Ms: wrk.p50Ms, p99Ms: wrk.p99Ms, answers,
    problems: [
      ...Object.entries(bad).map(([what, n]) => `${subject.name}: ${n} × ${what}`),
      ...(wrk.requests > 0 ? [] : [`${subject.name}: no request was answered`]),
    ],
  };
}

export interface Side { readonly subject: Subject; readonly load: Load }

export interface Pairs {
  readonly runs: readonly (readonly [base: Run, tested: Run])[];
  /** Tested over base. */
  readonly rps: Ratio;
  readonly cpu: Ratio;
  readonly problems: readonly string[];
}

/** Seconds that a server is given to reach its speed before it is measured. */
const WARM_S = { quick: 1, full: 3 };
const PAIRS = { quick: 3, full: 5 };
const RUN_S = { quick: 1, full: 8 };

/** Runs the two in turn, so that whatever the machine does in the meantime meets both. */
export async function comparePairs(context: CaseContext, base: Side, tested: Side): Promise<Pairs> {
  const mode = context.quick ? "quick" : "full";
  let seed = 1;
  for (const { subject, load } of [base, tested]) await runWrk(subject.url, load, WARM_S[mode], seed++);
  const runs: [Run, Run][] = [];
  for (let pair = 1; pair <= PAIRS[mode]; pair++) {
    const [first, second] = [await rested(base, RUN_S[mode], seed++), await rested(tested, RUN_S[mode], seed++)];
    runs.push([first, second]);
    context.note(`pair ${pair}: ${first.rps.toFixed(0)} and ${second.rps.toFixed(0)} requests/s, ${first.cpuUs.toFixed(1)} and ${second.cpuUs.toFixed(1)} µs`);
  }
  return {
    runs,
    rps: ratioOf(runs.map(([a, b]) => [a.rps, b.rps])),
    cpu: ratioOf(runs.map(([a, b]) => [a.cpuUs, b.cpuUs])),
    problems: [...new Set(runs.flat().flatMap((run) => run.problems))],
  };
}

/** A run after a moment in which what the last one left behind (closing connections, a flush) is done. */
async function rested({ subject, load }: Side, seconds: number, seed: number): Promise<Run> {
  await delay(100);
  return measure(subject, load, seconds, seed);
}

/** One line a subject: medians over its runs, and all of its answers together. */
export function runsTable(caption: string, runs: readonly Run[]): Table {
  const rows = [...new Set(runs.map((run) => run.subject))].map((subject) => {
    const own = runs.filter((run) => run.subject === subject);
    const mid = (value: (run: Run) => number): number => median(own.map(value));
    return [
      subject, Math.round(mid((r) => r.rps)).toLocaleString("en-US"), mid((r) => r.apiUs).toFixed(1), mid((r) => r.redisUs).toFixed(1), mid((r) => r.cpuUs).toFixed(1),
      mid((r) => r.p99Ms).toFixed(2), answersText(addAnswers(own.map((run) => run.answers))) || "200",
    ];
  });
  return { caption, head: ["", "requests/s", "API µs", "Redis µs", "CPU µs/request", "p99 ms", "answers"], rows };
}
