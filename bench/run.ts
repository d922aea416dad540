/** One closed-loop run and its CPU time. */
import { type Answers, addAnswers, answersBetween, answersText, badAnswers } from "./answers.js";
import type { Table } from "./case.js";
import { cpuNs, endedChildrenNs, machineNs } from "./proc.js";
import type { Subject } from "./servers.js";
import { median } from "./stats.js";
import { type Load, runWrk } from "./wrk.js";

export interface Run {
  readonly subject: string;
  readonly requests: number;
  readonly rps: number;
  /** µs of CPU per request, all threads: of the API process, of its Redis, and both. */
  readonly apiUs: number;
  readonly redisUs: number;
  readonly cpuUs: number;
  /** The same of processes that work beside them, which `cpuUs` leaves out. */
  readonly besideUs: Readonly<Record<string, number>>;
  /** Share of the cores that went to processes outside of the benchmark, %. */
  readonly othersPercent: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answers: Answers;
  /** Answers that are none, by what they were: degraded, refused, failed. One of them makes the run no measurement. */
  readonly bad: Answers;
}

/** @param seconds whole @param seed another in every run */
export async function measure(subject: Subject, load: Load, seconds: number, seed: number): Promise<Run> {
  const pids = [subject.apiPid, subject.redisPid, ...subject.beside.map(({ pid }) => pid)];
  const answersBefore = await subject.answers();
  const before = pids.map(cpuNs);
  const machineBefore = machineNs();
  // wrk is a child that ends; this process is idle meanwhile.
  const ownBefore = endedChildrenNs() + cpuNs(process.pid);
  const wrk = await runWrk(subject.url, load, seconds, seed);
  const spent = pids.map((pid, i) => cpuNs(pid) - (before[i] ?? 0));
  const machine = machineNs();
  const ours = endedChildrenNs() + cpuNs(process.pid) - ownBefore + spent.reduce((sum, ns) => sum + ns, 0);
  const othersPercent = (100 * Math.max(0, machine.busy - machineBefore.busy - ours)) / Math.max(1, machine.total - machineBefore.total);
  const [apiUs = 0, redisUs = 0, ...besideUs] = spent.map((ns) => ns / 1e3 / wrk.requests);
  const answers = answersBetween(answersBefore, await subject.answers());
  return {
    subject: subject.name,
    requests: wrk.requests,
    rps: wrk.requests / wrk.seconds,
    apiUs,
    redisUs,
    cpuUs: apiUs + redisUs,
    besideUs: Object.fromEntries(subject.beside.map(({ name }, i) => [name, besideUs[i] ?? 0])),
    othersPercent,
    p50Ms: wrk.p50Ms,
    p99Ms: wrk.p99Ms,
    answers,
    bad: { ...badAnswers(answers), ...wrk.errors, ...(wrk.requests > 0 ? {} : { "no answer at all": 1 }) },
  };
}

/** Why runs must not be used, one text a subject and cause. */
export function problemsOf(runs: readonly Run[]): string[] {
  return subjectsOf(runs).flatMap((subject) => {
    const bad = addAnswers(runs.filter((run) => run.subject === subject).map((run) => run.bad));
    return Object.entries(bad).map(([what, n]) => `${subject}: ${n.toLocaleString("en-US")} × ${what}`);
  });
}

const subjectsOf = (runs: readonly Run[]): string[] => [...new Set(runs.map((run) => run.subject))];

/** One line a subject: medians over its runs, the most that others took meanwhile, and all of its answers together. */
export function runsTable(runs: readonly Run[]): Table {
  const beside = [...new Set(runs.flatMap((run) => Object.keys(run.besideUs)))];
  const rows = subjectsOf(runs).map((subject) => {
    const own = runs.filter((run) => run.subject === subject);
    const mid = (value: (run: Run) => number): number => median(own.map(value));
    return [
      subject,
      Math.round(mid((run) => run.rps)).toLocaleString("en-US"),
      ...[mid((run) => run.apiUs), mid((run) => run.redisUs), mid((run) => run.cpuUs)].map((us) => us.toFixed(1)),
      ...beside.map((name) => (own.every((run) => name in run.besideUs) ? mid((run) => run.besideUs[name] ?? 0).toFixed(1) : "–")),
      mid((run) => run.p99Ms).toFixed(2),
      Math.max(...own.map((run) => run.othersPercent)).toFixed(0),
      answersText(addAnswers(own.map((run) => run.answers))) || "200",
    ];
  });
  return {
    caption: "Medians; µs of CPU per request, all threads; others: the most that other processes took of the cores",
    head: ["", "requests/s", "API µs", "Redis µs", "API + Redis µs", ...beside.map((name) => `${name} µs`), "p99 ms", "others %", "answers"],
    rows,
  };
}
