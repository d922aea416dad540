/**
 * The load of one process: autocannon's connections, each told when to send.
 *
 * In a closed loop a connection sends when its answer is there. In an open loop requests are due at a fixed rate,
 * and one that finds no free connection waits for it; its latency counts from when it was due, so that a stall of
 * the engine is felt by every request that it held up, as by every customer ("coordinated omission"; Gil Tene's
 * wrk2 does the same). autocannon's own correction is switched off: it adds made-up latencies to the histogram at a
 * distance of Math.ceil(1 / rate), which is 1 ms at any rate, because the rate is per second and latencies are in ms.
 */
import autocannon from "autocannon";
import { Connection, type Sent } from "./connection.js";
import { newLatency, packLatency, recordMs } from "./latency.js";
import type { GeneratorPlan, GeneratorReport, Second } from "./messages.js";
import { type Answer, CONNECTION_ERROR, TIMEOUT_ERROR } from "./outcome.js";
import { seeded } from "./random.js";
import { Schedule } from "./schedule.js";
import { Seconds } from "./seconds.js";
import { count, newTally, packTally } from "./tally.js";
import { Traffic } from "./traffic.js";
import { Usage } from "./usage.js";
import { openUsers } from "./users.js";

/** How long requests that were due before the end are still sent after it. */
const BACKLOG_MS = 5_000;
/** autocannon looks this often whether it shall stop. */
const STOP_LOOK_MS = 50;

/**
 * Runs the whole of a plan, or until the signal.
 * @param onSecond told of every second of the measured time when it is over
 */
export async function generate(plan: GeneratorPlan, onSecond: (second: Second) => void, signal: AbortSignal): Promise<GeneratorReport> {
  const traffic = new Traffic(plan.url, plan.mix, openUsers(plan.users), seeded(plan.seed + plan.share.index));
  const run = new Run(plan, traffic, onSecond);
  const { origin } = new URL(plan.url);
  const instance = autocannon({
    url: origin,
    connections: plan.connections,
    timeout: plan.timeoutS,
    sampleInt: STOP_LOOK_MS,
    // It is stopped when the last answer is there; this is only never earlier.
    duration: plan.warmupS + plan.durationS + plan.timeoutS * 2 + 600,
    setupClient: (client) => run.open(client),
  }) as autocannon.Instance & Promise<autocannon.Result>;
  const stop = (): void => run.stop();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  await run.done;
  signal.removeEventListener("abort", stop);
  instance.stop();
  await instance;
  return run.report();
}

class Run {
  readonly done: Promise<void>;
  readonly #measured = newTally();
  readonly #warmup = newTally();
  readonly #late = newLatency();
  /** Last in, first out: at a low rate few connections are used often, instead of all so seldom that the engine closes them. */
  readonly #idle: Connection[] = [];
  readonly #seconds: Seconds;
  readonly #usage = new Usage();
  readonly #schedule: Schedule | undefined;
  readonly #measureFrom: number;
  #end: number;
  #inFlight = 0;
  #lastAnswer = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #alarms: NodeJS.Timeout[] = [];
  #stopped = false;
  #finish: () => void = () => undefined;

  constructor(
    private readonly plan: GeneratorPlan,
    private readonly traffic: Traffic,
    onSecond: (second: Second) => void,
  ) {
    const start = performance.now();
    this.#measureFrom = start + plan.warmupS * 1_000;
    this.#end = this.#measureFrom + plan.durationS * 1_000;
    if (plan.ratePerS !== null) this.#schedule = new Schedule(start, plan.ratePerS, plan.share);
    this.#seconds = new Seconds(this.#measureFrom, onSecond);
    this.done = new Promise((resolve) => (this.#finish = resolve));
    this.#alarms.push(
      setTimeout(() => this.#usage.begin(), this.#measureFrom - start),
      setTimeout(() => this.#over(), this.#end - start),
    );
  }

  open(client: autocannon.Client): void {
    new Connection(client, this.plan.timeoutS * 1_000, {
      onFree: (connection) => {
        this.#idle.push(connection);
        this.#pump();
      },
      onGone: (connection) => void this.#idle.splice(this.#idle.indexOf(connection), 1),
      onAnswer: (sent, answer) => this.#answered(sent, answer),
      onLost: (sent, why) => this.#ended(sent, why === "timeout" ? TIMEOUT_ERROR : CONNECTION_ERROR),
    });
  }

  /** Ends now: nothing more is sent, what was sent is waited for. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#end = Math.min(this.#end, performance.now());
    this.#over();
  }

  report(): GeneratorReport {
    this.#seconds.close();
    return {
      measured: packTally(this.#measured),
      warmup: packTally(this.#warmup),
      unsent: this.#unsent(),
      replaced: this.traffic.replaced,
      lastAnswerS: this.#lastAnswer / 1_000,
      ...this.#usage.read(),
      late: packLatency(this.#late),
    };
  }

  /** Sends what is due, and looks again when the next is. */
  #pump(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    while (this.#idle.length > 0) {
      const due = this.#schedule?.due ?? now;
      if (due >= this.#end || (this.#schedule && this.#stopped) || now > this.#end + BACKLOG_MS) {
        this.#finishIfDone();
        return;
      }
      if (due > now) {
        this.#timer = setTimeout(() => this.#pump(), Math.max(1, due - now));
        return;
      }
      const connection = this.#idle.pop();
      this.#schedule?.take();
      if (!connection) return;
      // A free connection was there in time: that it is late is the timer's doing or a lack of CPU here.
      if (this.#schedule && connection.freeSince <= due) recordMs(this.#late, now - due);
      this.#inFlight++;
      connection.send(this.traffic.next(), due);
    }
  }

  #answered(sent: Sent, answer: Answer): void {
    this.#lastAnswer = performance.now() - this.#measureFrom;
    this.#ended(sent, this.traffic.read(sent.request, answer));
  }

  #ended({ request, due }: Sent, outcome: string): void {
    this.#inFlight--;
    const now = performance.now();
    const measured = due >= this.#measureFrom;
    count((measured ? this.#measured : this.#warmup)[request.kind], outcome, now - due);
    if (measured) this.#seconds.count(now, outcome, now - due);
    // The connection is free again right after this, and pumps; a lost one is not.
    if (now >= this.#end) setImmediate(() => this.#finishIfDone());
  }

  #over(): void {
    // A timer may be a millisecond early.
    if (performance.now() < this.#end) {
      this.#alarms.push(setTimeout(() => this.#over(), 1));
      return;
    }
    this.#pump();
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    const now = performance.now();
    if (now < this.#end) return;
    this.#usage.end();
    if (this.#inFlight > 0) return;
    const waits = !this.#stopped && now <= this.#end + BACKLOG_MS && this.#unsent() > 0;
    if (waits) return;
    clearTimeout(this.#timer);
    for (const alarm of this.#alarms) clearTimeout(alarm);
    this.#finish();
  }

  #unsent(): number {
    return this.#schedule?.overdue(this.#measureFrom, this.#end) ?? 0;
  }
}
