/**
 * Decisions and reports for one API process: asks the scripts, keeps the deadline, and turns every
 * trouble into an answer. Nothing here rejects and nothing waits past its deadline.
 */
import type { Redis } from "ioredis";
import type { EventType } from "../event.js";
import { reasonOf } from "../errors.js";
import { loadDecisionScripts, report, select, type ReportAnswer, type SelectAnswer } from "../redis/decisions.js";
import type { Keys } from "../redis/keys.js";
import type { Clock } from "../time.js";
import { newImpressionId } from "./impression-id.js";
import { Published, type Snapshot } from "./published.js";
import { settle, Turns, type Pending } from "./turns.js";

/** A decision not back from Redis by then is given up (DESIGN §8). */
export const DECISION_DEADLINE_MS = 40;
/** The app does not wait for a report's answer, so it may take longer; but it ends. */
export const REPORT_DEADLINE_MS = 1_000;
/** A Redis that takes longer to connect to is away; the process listens without it. */
const WARM_UP_MS = 3_000;
/** How often a process looks for a publish that no request has told it about. */
const REFRESH_MS = 500;
/** Memberships that one call may ask for by the audiences' own keys: some 3 ms of Redis' time. */
const MOST_MEMBERSHIPS = 4_000;
/** A list that is stale again after being read anew this often changes faster than it can be used. */
const STALE_RETRIES = 3;

export type Trouble = "timeout" | "unavailable" | "unpublished";

/** What is answered when there is no other answer. */
export interface Degraded { readonly kind: "degraded"; readonly cause: Trouble }

export type Decision =
  | { readonly kind: "show"; readonly campaignId: number; readonly json: string }
  | { readonly kind: "none" }
  | Degraded;

export interface Report {
  readonly type: EventType;
  readonly campaignId: number;
  readonly userId: string;
  /** Null when the app gave none; the engine then makes one, and a retry cannot be recognised. */
  readonly impressionId: string | null;
  readonly sessionId: string | null;
}

export type Receipt =
  | { readonly kind: "counted"; readonly total: number }
  | { readonly kind: "duplicate" | "capped" | "recorded" }
  | { readonly kind: "unknown" }
  | Degraded;

const TIMEOUT: Degraded = { kind: "degraded", cause: "timeout" };
const UNAVAILABLE: Degraded = { kind: "degraded", cause: "unavailable" };
const UNPUBLISHED: Degraded = { kind: "degraded", cause: "unpublished" };

interface PendingDecision extends Pending<Decision> { readonly userId: string; readonly sessionId: string | null; readonly impressionId: string }
interface PendingReport extends Pending<Receipt> { readonly report: Report & { readonly impressionId: string } }

export class Engine {
  readonly #published: Published;
  readonly #decisions: Turns<Decision, PendingDecision>;
  readonly #reports: Turns<Receipt, PendingReport>;
  readonly #poll: NodeJS.Timeout;
  #incident: string | undefined;

  /** @param onIncident told once when trouble begins and once when it is over (undefined) */
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly clock: Clock,
    private readonly onIncident: (cause: string | undefined) => void = () => undefined,
    decisionDeadlineMs: number = DECISION_DEADLINE_MS,
  ) {
    this.#decisions = new Turns({ deadlineMs: decisionDeadlineMs, late: TIMEOUT, most: () => this.#mostDecisions(), work: (asks) => this.#withList(asks, (snapshot, open) => this.#decideAll(snapshot, open)) });
    this.#reports = new Turns({ deadlineMs: REPORT_DEADLINE_MS, late: TIMEOUT, work: (asks) => this.#withList(asks, (snapshot, open) => this.#reportAll(snapshot, open)) });
    this.#published = new Published(redis, keys, clock);
    redis.on("error", (error: Error) => this.#note(error));
    redis.on("ready", () => void this.#greet());
    this.#poll = setInterval(() => void this.refresh(), REFRESH_MS);
    this.#poll.unref();
  }

  /** Why no decision can be made now, or undefined when they can. */
  get trouble(): Trouble | undefined {
    if (this.redis.status !== "ready") return "unavailable";
    return this.#published.current ? undefined : "unpublished";
  }

  /** The version of the list that decisions use. */
  get version(): string | undefined {
    return this.#published.current?.manifest.version;
  }

  /** The published API keys, id → SHA-256; undefined until they are known. */
  get apiKeys(): ReadonlyMap<string, Buffer> | undefined {
    return this.#published.apiKeys;
  }

  /**
   * Waits for the first connection to Redis to be made or to fail, at most {@link WARM_UP_MS}, and reads
   * what is published. A process that listened before would answer its first customers with nothing.
   */
  async warmUp(): Promise<void> {
    if (this.redis.status !== "ready") {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, WARM_UP_MS);
        for (const event of ["ready", "close"]) {
          this.redis.once(event, () => {
            clearTimeout(timer);
            resolve();
          });
        }
      });
    }
    await this.#greet();
  }

  /** What a server that is new, or back, is told and asked before the first decision. */
  async #greet(): Promise<void> {
    try {
      if (this.redis.status === "ready") await loadDecisionScripts(this.redis);
    } catch (error) {
      // Not lost: a script that the server does not know is loaded when it is called.
      this.#note(error);
    }
    await this.refresh();
  }

  /** Looks for a new publish. */
  async refresh(): Promise<void> {
    if (this.redis.status !== "ready") return;
    try {
      await this.#published.refresh();
      this.#note(undefined);
    } catch (error) {
      this.#note(error);
    }
  }

  /** Decides what the user sees. @param answer called once, by the deadline at the latest */
  decide(userId: string, sessionId: string | null, answer: (decision: Decision) => void): void {
    if (this.redis.status !== "ready") answer(UNAVAILABLE);
    else this.#decisions.add({ userId, sessionId, impressionId: newImpressionId(), due: 0, answered: false, answer });
  }

  /** Takes a report. @param answer called once, by the deadline at the latest */
  report(report: Report, answer: (receipt: Receipt) => void): void {
    if (this.redis.status !== "ready") answer(UNAVAILABLE);
    else this.#reports.add({ report: { ...report, impressionId: report.impressionId ?? newImpressionId() }, due: 0, answered: false, answer });
  }

  close(): void {
    clearInterval(this.#poll);
    this.redis.disconnect();
  }

  /** Where many audiences are not in the index, a decision may ask each of them: a call holds as many as Redis can spare the time for. */
  #mostDecisions(): number {
    const direct = (this.#published.current?.directKeys.length ?? 0) / 2;
    return Math.max(1, Math.floor(MOST_MEMBERSHIPS / Math.max(1, direct)));
  }

  async #decideAll(snapshot: Snapshot, asks: readonly PendingDecision[]): Promise<boolean> {
    const reply = await select(this.redis, this.keys, snapshot, snapshot.windowsAt(this.clock()), asks);
    if (reply.tag !== "decided") return false;
    for (const [i, ask] of asks.entries()) settle(ask, this.#decision(snapshot, ask, reply.answers[i] ?? null));
    return true;
  }

  #decision({ bodies }: Snapshot, { impressionId }: PendingDecision, answer: SelectAnswer): Decision {
    if (answer === null) return { kind: "none" };
    if (typeof answer !== "number") {
      this.#note(answer);
      return UNAVAILABLE;
    }
    const prefix = bodies.get(answer);
    return prefix === undefined ? UNPUBLISHED : { kind: "show", campaignId: answer, json: `${prefix}${impressionId}"}` };
  }

  async #reportAll(snapshot: Snapshot, asks: readonly PendingReport[]): Promise<boolean> {
    const reply = await report(this.redis, this.keys, snapshot.version, snapshot.windowsAt(this.clock()), asks.map((ask) => ask.report));
    if (reply.tag !== "taken") return false;
    for (const [i, ask] of asks.entries()) settle(ask, this.#receipt(ask.report, reply.answers[i] ?? "unknown"));
    return true;
  }

  #receipt({ type }: Report, answer: ReportAnswer): Receipt {
    if (typeof answer === "number") return { kind: "counted", total: answer };
    if (typeof answer !== "string") {
      this.#note(answer);
      return UNAVAILABLE;
    }
    // A reaction that is sent again is as recorded as it was; only counts tell a retry apart.
    return { kind: answer === "duplicate" && type !== "impression" ? "recorded" : answer };
  }

  /**
   * Asks with the list at hand, and again with the new one where the script says that it is stale. What was
   * answered by its deadline meanwhile is not asked again: that would count what nobody sees.
   * @param ask answers the requests; false when the list was stale
   */
  async #withList<P extends Pending<Degraded>>(asks: readonly P[], ask: (snapshot: Snapshot, open: readonly P[]) => Promise<boolean>): Promise<void> {
    try {
      let open = asks;
      for (let attempt = 0; attempt < STALE_RETRIES && open.length > 0; attempt++) {
        const snapshot = this.#published.current;
        if (snapshot && (await ask(snapshot, open))) return;
        await this.#published.refresh();
        if (!this.#published.current) break;
        open = open.filter((pending) => !pending.answered);
      }
      for (const pending of open) settle(pending, UNPUBLISHED);
    } catch (error) {
      this.#note(error);
      for (const pending of asks) settle(pending, UNAVAILABLE);
    }
  }

  /** One call of `onIncident` per incident, not per request. */
  #note(error: unknown): void {
    const incident = error === undefined ? undefined : reasonOf(error);
    if (incident === this.#incident) return;
    this.#incident = incident;
    this.onIncident(incident);
  }
}
