/** What a run found: the value that `--json` prints, and the ground of tables, page and assertions. */
import { availableParallelism, cpus, totalmem } from "node:os";
import { VERSION } from "../version.js";
import { percentileMs } from "./latency.js";
import { isDegraded, isError, type Kind } from "./outcome.js";
import { type Load, type LoadPlan, secondOf } from "./processes.js";
import { isAnswered, type KindTally, together, total } from "./tally.js";

export interface Figures {
  /** That ended within the run, whatever their outcome. */
  readonly requests: number;
  /** 2xx answers per second. */
  readonly rps: number;
  /** Latencies of 2xx answers and time-outs; null when there was none. */
  readonly p50_ms: number | null;
  readonly p90_ms: number | null;
  readonly p99_ms: number | null;
  readonly p999_ms: number | null;
  readonly max_ms: number | null;
  /** Other statuses, time-outs, lost and refused connections. */
  readonly errors: number;
}

export interface ResultSecond {
  readonly second: number;
  readonly requests: number;
  readonly p99_ms: number | null;
  readonly errors: number;
}

export interface BenchResult extends Figures {
  /** Decisions that were 204 because of trouble; they are no errors. */
  readonly degraded: number;
  /** Due within the run and never sent (open loop). */
  readonly unsent: number;
  /** The measured time, until the last answer where that came later. */
  readonly duration_s: number;
  /** False when the run was stopped before its end. */
  readonly complete: boolean;
  readonly url: string;
  readonly connections: number;
  readonly rate: number | null;
  readonly mix: string;
  /** GETs in place of POSTs that had nothing to report, warm-up included. */
  readonly replaced_posts: number;
  readonly users: string;
  readonly seed: number;
  readonly warmup: { readonly duration_s: number; readonly requests: number; readonly outcomes: Record<Kind, Record<string, number>> };
  readonly get: Figures;
  readonly post: Figures;
  readonly outcomes: Record<Kind, Record<string, number>>;
  readonly per_second: readonly ResultSecond[];
  readonly generator: { readonly processes: number; readonly cpu: readonly number[]; readonly busy: readonly number[]; readonly late_p99_ms: number | null };
  readonly remarks: readonly string[];
  readonly started: string;
  readonly machine: string;
  readonly node: string;
  readonly version: string;
}

/** How the run was asked for, in the words of the flags. */
export interface Asked {
  readonly plan: LoadPlan;
  readonly mix: string;
  readonly users: string;
  readonly startedMs: number;
  readonly stoppedAfterS: number | null;
}

export function resultOf(load: Load, asked: Asked): BenchResult {
  const { plan } = asked;
  const durationS = Math.max(asked.stoppedAfterS ?? plan.durationS, load.lastAnswerS);
  const all = figuresOf(together(load.measured), durationS);
  const late = percentileMs(load.late, 99);
  return {
    ...all,
    degraded: total(load.measured.get, isDegraded),
    unsent: load.unsent,
    duration_s: rounded(durationS),
    complete: asked.stoppedAfterS === null,
    url: plan.url,
    connections: plan.connections,
    rate: plan.ratePerS,
    mix: asked.mix,
    replaced_posts: load.replaced,
    users: asked.users,
    seed: plan.seed,
    warmup: { duration_s: plan.warmupS, requests: total(together(load.warmup)), outcomes: { get: load.warmup.get.outcomes, post: load.warmup.post.outcomes } },
    get: figuresOf(load.measured.get, durationS),
    post: figuresOf(load.measured.post, durationS),
    outcomes: { get: load.measured.get.outcomes, post: load.measured.post.outcomes },
    per_second: withoutShortTail(load.seconds, plan.durationS)
      .map(secondOf)
      .map(({ index, requests, latency, errors }) => ({ second: index + 1, requests, p99_ms: percentileMs(latency, 99), errors })),
    generator: {
      processes: plan.processes,
      cpu: load.usage.map(({ cpu }) => rounded(cpu)),
      busy: load.usage.map(({ busy }) => rounded(busy)),
      late_p99_ms: plan.ratePerS === null ? null : late,
    },
    remarks: remarksOf(load, asked, late),
    started: new Date(asked.startedMs).toISOString(),
    machine: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`,
    node: process.version,
    version: VERSION,
  };
}

function figuresOf(tally: KindTally, durationS: number): Figures {
  const errors = total(tally, isError);
  const requests = total(tally);
  const at = (percentile: number): number | null => percentileMs(tally.latency, percentile);
  return {
    requests,
    rps: rounded((requests - errors) / durationS),
    p50_ms: at(50),
    p90_ms: at(90),
    p99_ms: at(99),
    p999_ms: at(99.9),
    max_ms: at(100),
    errors,
  };
}

/** The last answers come just after the end; they are no second of their own. */
function withoutShortTail(seconds: Load["seconds"], durationS: number): Load["seconds"] {
  const last = seconds[durationS - 1];
  const tail = seconds[durationS];
  return last && tail && seconds.length === durationS + 1 ? [...seconds.slice(0, durationS - 1), [...last, ...tail]] : seconds;
}

/** A core that is this full has no room for more load. */
const FULL_CPU = 0.9;
/** The event loop of the load is never quite without work when it is the limit, also where the core is shared. */
const FULL_LOOP = 0.97;
/** A timer of Node may be a millisecond late, and a little more on a busy machine. */
const LATE_MS = 5;

function remarksOf(load: Load, { plan, stoppedAfterS }: Asked, late: number | null): string[] {
  const remarks: string[] = [];
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const cpu = Math.max(0, ...load.usage.map((usage) => usage.cpu));
  const busy = Math.max(0, ...load.usage.map((usage) => usage.busy));
  if (cpu >= FULL_CPU)
    remarks.push(`The load itself was the limit: a load process used ${percent(cpu)} of a core. Use more with --load-processes, on a machine of their own.`);
  else if (busy >= FULL_LOOP)
    remarks.push(
      `The load itself may be the limit: a load process was busy ${percent(busy)} of the time, at ${percent(cpu)} of a core. Part of the latencies is its own queue.`,
    );
  if (plan.ratePerS !== null && late !== null && late >= LATE_MS)
    remarks.push(
      `The load process sent late though connections were free, 1 % of the requests by ${late.toFixed(1)} ms or more, which is in the latencies: it lacked CPU time.`,
    );
  if (load.unsent > 0 && stoppedAfterS === null)
    remarks.push(
      `The rate was not kept: ${load.unsent.toLocaleString("en-US")} requests were due and never sent, because no connection was free. They are in no figure; the true latencies are longer.`,
    );
  if (total(together(load.measured), isAnswered) === 0) remarks.push("Nothing was answered.");
  return remarks;
}

/** A loop in words. @param rate requests per second, or null */
export function nameOfRate(rate: number | null): string {
  return rate === null
    ? "closed: a connection asks again when its answer is there; latency from sending"
    : `open: ${rate.toLocaleString("en-US")} requests/s are due, come what may; latency from when a request was due`;
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
