/**
 * Requests share calls to Redis. What arrives while a call is under way goes with the next: at once when the answer is
 * there, or beside it as soon as enough wait that the second call is worth its cost, so that under load this process works
 * while Redis does. A request that finds no call under way waits for nobody: it goes at the end of the event loop's turn it
 * arrived in, with the others of that turn.
 *
 * So a slow Redis is asked less often and not more, and a hung one holds two calls: what waits is answered at its
 * deadline and is never sent, and what comes later is answered at once.
 */
import { Breaker } from "./breaker.js";

/** A request under way. */
export interface Pending<Answer> {
  /** When it has to be answered, ms of performance.now(). */
  due: number;
  answered: boolean;
  readonly answer: (answer: Answer) => void;
}

/** Requests in one call. A script runs alone in Redis, so one that serves many holds up the others. */
const MOST_TOGETHER = 32;
/** Calls under way, and how many requests must wait for the second: fewer would pay for a call what they save. */
const MOST_CALLS = 2;
const WORTH_ANOTHER = 24;
/** Requests that wait for a call; more than that are refused instead of piling up. */
const MOST_WAITING = 20_000;
/** How late past its deadline a request may be answered, ms. */
const LOOK_MS = 4;
/** A call that takes longer is not expected back soon, ms. */
const STUCK_MS = 250;

export interface TurnsOptions<Answer, P> {
  /** From a request's arrival, ms. */
  readonly deadlineMs: number;
  /** What a request is told that has no answer by then. */
  readonly late: Answer;
  /** What a request is told that is not asked at all. */
  readonly refused: Answer;
  /** When a call is not expected back soon any more, ms; {@link STUCK_MS} unless told. */
  readonly stuckMs?: number;
  /** Requests in one call, where that is fewer than {@link MOST_TOGETHER}. */
  readonly most?: () => number;
  /** Asks, and answers each by {@link settle}. True when Redis gave an answer; it does not reject. */
  readonly work: (asks: readonly P[]) => Promise<boolean>;
  /** Told of every call: how long it took, s, and whether Redis answered. */
  readonly onCall: ((seconds: number, answered: boolean) => void) | undefined;
}

interface Call<P> {
  readonly asks: readonly P[];
  /** ms of performance.now(). */
  readonly began: number;
}

export class Turns<Answer, P extends Pending<Answer>> {
  #waiting: P[] = [];
  /** Those under way, the oldest first. */
  readonly #calls = new Set<Call<P>>();
  #ending = false;
  #watch: NodeJS.Timeout | undefined;
  readonly breaker = new Breaker();

  constructor(private readonly options: TurnsOptions<Answer, P>) {}

  /** True while a call is under way that should be back long since. */
  get stuck(): boolean {
    const [oldest] = this.#calls;
    return oldest !== undefined && performance.now() - oldest.began > (this.options.stuckMs ?? STUCK_MS);
  }

  add(ask: P): void {
    const now = performance.now();
    if (this.stuck || !this.breaker.allows(now) || this.#waiting.length >= MOST_WAITING) {
      settle(ask, this.options.refused);
      return;
    }
    ask.due = now + this.options.deadlineMs;
    this.#waiting.push(ask);
    this.#endTurn();
    this.#watch ??= setTimeout(() => this.#look(), LOOK_MS);
  }

  #endTurn(): void {
    if (this.#ending || !this.#worthCall()) return;
    this.#ending = true;
    // After the sockets that are readable now, before anything that becomes readable later.
    setImmediate(() => {
      this.#ending = false;
      void this.#call();
    });
  }

  #worthCall(): boolean {
    const { size } = this.#calls;
    return size === 0 || (size < MOST_CALLS && this.#waiting.length >= WORTH_ANOTHER);
  }

  async #call(): Promise<void> {
    const asks = this.#waiting.splice(0, Math.min(MOST_TOGETHER, this.options.most?.() ?? MOST_TOGETHER));
    if (asks.length === 0) return;
    const began = performance.now();
    const call = { asks, began };
    this.#calls.add(call);
    // More than one call takes may have come.
    if (this.#waiting.length > 0) this.#endTurn();
    const answered = await this.options.work(asks);
    this.#calls.delete(call);
    const now = performance.now();
    if (answered && now - began <= this.options.deadlineMs) this.breaker.succeeded();
    else this.breaker.failed(now);
    this.options.onCall?.((now - began) / 1000, answered);
    if (this.#waiting.length > 0) this.#endTurn();
  }

  /** Answers what is due: the oldest, whether asked or waiting. */
  #look(): void {
    const now = performance.now();
    const isDue = (ask: P): boolean => ask.due <= now;
    const asked = [...this.#calls].flatMap(({ asks }) => asks);
    for (const ask of asked) if (isDue(ask)) settle(ask, this.options.late);
    const fresh = this.#waiting.findIndex((ask) => !isDue(ask));
    for (const ask of this.#waiting.splice(0, fresh < 0 ? this.#waiting.length : fresh)) settle(ask, this.options.late);
    const open = this.#waiting.length > 0 || asked.some((ask) => !ask.answered);
    this.#watch = open ? setTimeout(() => this.#look(), LOOK_MS) : undefined;
  }
}

/** Answers a request, unless it was answered before. */
export function settle<Answer>(ask: Pending<Answer>, answer: Answer): void {
  if (ask.answered) return;
  ask.answered = true;
  ask.answer(answer);
}
