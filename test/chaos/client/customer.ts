/**
 * One virtual customer: logs in, sees what comes, reports it, sometimes twice at once, sometimes late, and again and
 * again until the report is accepted. Everything sent is handed to `note` with its answer.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { EventType } from "../../../dist/event.js";
import { Random } from "../../helpers/random.js";
import { type Answer, type Entry, isAccepted } from "../history.js";
import type { AppClient } from "./http.js";

export interface Habits {
  /** Between two logins, ms, on average. */
  readonly thinkMs: number;
  /** Share of logins from two devices at the same instant. */
  readonly twoDevices: number;
  /** Share of reports that are sent twice at the same instant. */
  readonly doubled: number;
  /** Share of impressions that are sent once more after they were accepted. */
  readonly echoed: number;
}

const LATE_MS = 2_000;
const VERY_LATE_MS = 6_000;
const RETRY_MS = [100, 600] as const;

export class Customer {
  readonly #random: Random;
  readonly #pending = new Set<Promise<void>>();
  readonly #hurry = new AbortController();
  readonly #giveUp = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly users: readonly string[],
    private readonly app: AppClient,
    private readonly habits: Habits,
    seed: number,
    private readonly note: (entry: Entry) => void,
  ) {
    this.#random = new Random(seed);
    // Every report that waits listens to it.
    setMaxListeners(0, this.#hurry.signal);
  }

  /** Visits until {@link finish}. */
  start(): void {
    this.#running = this.#live();
  }

  async #live(): Promise<void> {
    while (!this.#hurry.signal.aborted) {
      await this.#wait(this.#random.next() * 2 * this.habits.thinkMs);
      const user = this.#random.pick(this.users);
      await Promise.all(Array.from({ length: this.#random.chance(this.habits.twoDevices) ? 2 : 1 }, () => this.#visit(user)));
    }
  }

  /**
   * No more visits; reports that are due later are sent now, and those that were not accepted until they are.
   * @param patienceMs how long; what is not accepted by then never was
   */
  async finish(patienceMs: number): Promise<void> {
    this.#hurry.abort();
    await this.#running;
    const timer = setTimeout(() => this.#giveUp.abort(), patienceMs);
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    clearTimeout(timer);
  }

  async #visit(user: string): Promise<void> {
    const answer = await this.#noted({ kind: "get", user }, () => this.app.popup(user));
    if (answer.kind !== "popup") return;
    const work = this.#showing(user, answer.campaign, answer.id).finally(() => this.#pending.delete(work));
    this.#pending.add(work);
  }

  /** What comes of one popup on a screen. */
  async #showing(user: string, campaign: number, id: string): Promise<void> {
    const report = (type: EventType): Promise<void> => this.#deliver(type, campaign, user, id);
    const luck = this.#random.next();
    await this.#wait(luck < 0.6 ? 50 * this.#random.next() : luck < 0.9 ? LATE_MS * this.#random.next() : VERY_LATE_MS * this.#random.next());
    await Promise.all(this.#random.chance(this.habits.doubled) ? [report("impression"), report("impression")] : [report("impression")]);
    const reaction = this.#random.next();
    if (reaction < 0.25) await report("click");
    else if (reaction < 0.4) await report("dismiss");
    if (this.#random.chance(this.habits.echoed)) {
      await this.#wait(VERY_LATE_MS * this.#random.next());
      await report("impression");
    }
  }

  /** Sends it until it is accepted, always with the same id, as the documentation asks of an app. */
  async #deliver(type: EventType, campaign: number, user: string, id: string): Promise<void> {
    while (!this.#giveUp.signal.aborted) {
      const answer = await this.#noted({ kind: type, user, campaign, id }, () => this.app.report(type, campaign, user, id));
      if (isAccepted(answer) || answer.kind === "wrong") return;
      await delay(this.#random.between(...RETRY_MS));
    }
  }

  async #noted(
    request: { kind: "get"; user: string } | { kind: EventType; user: string; campaign: number; id: string },
    send: () => Promise<Answer>,
  ): Promise<Answer> {
    const sent = nowMs();
    const answer = await send();
    this.note({ ...request, sent, answered: nowMs(), answer });
    return answer;
  }

  /** Waits, unless it is time to finish. */
  async #wait(ms: number): Promise<void> {
    if (!this.#hurry.signal.aborted) await delay(ms, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
  }
}

/** Epoch ms by a clock that never goes back. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
