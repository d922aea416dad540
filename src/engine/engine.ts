/**
 * Decisions and reports for one API process: asks the scripts, keeps the deadline, and turns every
 * trouble into an answer. Nothing on the customer's path rejects, or waits past its deadline.
 */
import type { Redis } from "ioredis";
import type { PopupError } from "../errors.js";
import type { Explanation } from "../explanation.js";
import { type ReportAnswer, type ReportReply, report, type SelectAnswer, select } from "../redis/decisions.js";
import { explain } from "../redis/explain.js";
import type { Keys } from "../redis/keys.js";
import type { Spool } from "../spool/spool.js";
import type { Clock } from "../time.js";
import { type Decision, type Degraded, degraded, type Receipt, type Report, type Trouble } from "./answers.js";
import { newImpressionId } from "./impression-id.js";
import { LateReports } from "./late-reports.js";
import { Link } from "./link.js";
import { type Popup, Published, type Snapshot, STALE_RETRIES } from "./published.js";
import { type Pending, settle, Turns } from "./turns.js";

/** A decision not back from Redis by then is given up (DESIGN §8). */
export const DECISION_DEADLINE_MS = 40;
/** The app does not wait for a report's answer, so it may take longer; but it ends. */
const REPORT_DEADLINE_MS = 1_000;
/** How often a process looks for what no request has told it about; and while it waits for something, ms. */
const REFRESH_MS = 500;
const WAITING_MS = 100;
/** Memberships that one call may ask for by the audiences' own keys: some 3 ms of Redis' time. */
const MOST_MEMBERSHIPS = 4_000;

const NO_POPUPS: ReadonlyMap<number, Popup> = new Map();

export interface EngineOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Where reports are kept while Redis is away; null for nowhere. */
  readonly spool: Spool | null;
  /** Told of trouble whenever it is seen, and once (undefined) when it is over. */
  readonly onIncident?: (cause: string | undefined) => void;
  /** Told of what concerns one request only. */
  readonly onFault?: (fault: PopupError) => void;
  /** Told of every call: which, how long it took, s, and whether Redis answered. */
  readonly onCall?: (call: "select" | "report", seconds: number, answered: boolean) => void;
  /** Told of every impression that was counted, whether now, late or by a decision. */
  readonly onImpression?: (campaignId: number) => void;
  readonly decisionDeadlineMs?: number;
}

interface PendingDecision extends Pending<Decision> {
  readonly userId: string;
  readonly sessionId: string | null;
  readonly impressionId: string;
}
interface PendingReport extends Pending<Receipt> {
  readonly report: Report & { readonly impressionId: string };
}

export class Engine {
  readonly #published: Published;
  readonly #link: Link;
  readonly #decisions: Turns<Decision, PendingDecision>;
  readonly #reports: Turns<Receipt, PendingReport>;
  readonly #late: LateReports;
  #poll: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly options: EngineOptions) {
    const { redis, keys, clock, spool, onCall, onIncident = () => undefined } = options;
    this.#decisions = new Turns({
      deadlineMs: options.decisionDeadlineMs ?? DECISION_DEADLINE_MS,
      late: degraded("timeout"),
      refused: degraded("unavailable"),
      most: () => this.#mostDecisions(),
      onCall: onCall && ((seconds, answered) => onCall("select", seconds, answered)),
      work: (asks) => this.#withList(asks, (snapshot, open) => this.#decideAll(snapshot, open)),
    });
    this.#reports = new Turns({
      // Never less time than a decision has.
      deadlineMs: Math.max(REPORT_DEADLINE_MS, options.decisionDeadlineMs ?? 0),
      late: degraded("timeout"),
      refused: degraded("unavailable"),
      onCall: onCall && ((seconds, answered) => onCall("report", seconds, answered)),
      work: (asks) => this.#withList(asks, (snapshot, open) => this.#reportAll(snapshot, open)),
    });
    this.#published = new Published(redis, keys, clock);
    this.#link = new Link(redis, () => this.#published.refresh(), onIncident);
    this.#late = new LateReports({
      redis,
      keys,
      clock,
      spool,
      published: this.#published,
      takes: () => this.#takesReports(),
      onImpression: options.onImpression,
    });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#closed) return;
    const waits = this.recovering || this.version === undefined || this.#late.waiting;
    this.#poll = setTimeout(() => void this.refresh().finally(() => this.#schedule()), waits ? WAITING_MS : REFRESH_MS);
    this.#poll.unref();
  }

  /** Why no decision can be made now, or undefined when they can. */
  get trouble(): Trouble | undefined {
    // Not the breaker: it also opens where answers are late, and a balancer that takes the busy processes out makes the others busier.
    if (!this.#link.usable || this.#stuck) return "unavailable";
    return this.#published.current ? undefined : "unpublished";
  }

  /** True while what users have seen is being restored: only campaigns without limits are shown then. */
  get recovering(): boolean {
    const { verified } = this.#published;
    return verified === null || verified.runId !== this.#link.runId;
  }

  /** The version of the list that decisions use. */
  get version(): string | undefined {
    return this.#published.current?.manifest.version;
  }

  /** The active campaigns that decisions know, by id. */
  get popups(): ReadonlyMap<number, Popup> {
    return this.#published.current?.popups ?? NO_POPUPS;
  }

  /** Which kinds of calls are only tried now and then, because Redis fails them. */
  get paused(): { readonly decisions: boolean; readonly reports: boolean } {
    return { decisions: this.#stuck || this.#decisions.breaker.open, reports: this.#stuck || this.#reports.breaker.open };
  }

  /** The published API keys, id → SHA-256; undefined until they are known. */
  get apiKeys(): ReadonlyMap<string, Buffer> | undefined {
    return this.#published.apiKeys;
  }

  /** A hung Redis holds one call of a kind; the other kind need not find it out for itself. */
  get #stuck(): boolean {
    return this.#decisions.stuck || this.#reports.stuck;
  }

  /** Waits for the first connection, for a while, and reads what is published. A process that listened before would answer its first customers with nothing. */
  warmUp(): Promise<void> {
    return this.#link.warmUp();
  }

  /** Looks for a new publish, and for reports that wait in the spool. */
  async refresh(): Promise<void> {
    if (!this.#link.usable) return this.#link.greet();
    try {
      await this.#published.refresh();
      const { verified } = this.#published;
      if (verified && !this.recovering) this.#late.trusted(verified.word);
      // Not waited for: a disk that hangs must not keep this process from seeing what Redis says.
      void this.#late.replay().catch((error: unknown) => this.#link.note(error));
      this.#link.note(undefined);
    } catch (error) {
      this.#link.note(error);
    }
  }

  /** Decides what the user sees. @param answer called once, by the deadline at the latest */
  decide(userId: string, sessionId: string | null, answer: (decision: Decision) => void): void {
    if (!this.#link.usable || this.#reports.stuck) answer(degraded("unavailable"));
    else this.#decisions.add({ userId, sessionId, impressionId: newImpressionId(), due: 0, answered: false, answer });
  }

  /** Takes a report. @param answer called once, soon after the deadline at the latest */
  report(given: Report, answer: (receipt: Receipt) => void): void {
    const report = { ...given, impressionId: given.impressionId ?? newImpressionId() };
    const orLater = (receipt: Receipt): void => {
      if (receipt.kind === "degraded") this.#late.keep(report, receipt, answer);
      else answer(receipt);
    };
    if (!this.#link.usable || this.#decisions.stuck) orLater(degraded("unavailable"));
    // Counters that are too low would let it through a cap that is full.
    else if (this.recovering) orLater(degraded("recovering"));
    else this.#reports.add({ report, due: 0, answered: false, answer: orLater });
  }

  /** Why a user sees what they see at a time, epoch ms. Not for the customer's path: it waits for Redis, and rejects as {@link explain} does. */
  explain(userId: string, sessionId: string | null = null, at = this.options.clock()): Promise<Explanation> {
    return explain(this.options.redis, this.options.keys, { userId, sessionId, at, now: this.options.clock() });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#poll);
    this.options.redis.disconnect();
    await this.#late.close();
  }

  #takesReports(): boolean {
    return this.#link.usable && !this.recovering && !this.#stuck;
  }

  /** Where many audiences are not in the index, a decision may ask each of them: a call holds as many as Redis can spare the time for. */
  #mostDecisions(): number {
    const direct = this.#published.current?.manifest.direct.length ?? 0;
    return Math.max(1, Math.floor(MOST_MEMBERSHIPS / Math.max(1, direct)));
  }

  async #decideAll(snapshot: Snapshot, asks: readonly PendingDecision[]): Promise<Degraded | "done" | "stale"> {
    const recovering = this.recovering;
    const reply = await select(this.options.redis, this.options.keys, snapshot, snapshot.windowsAt(this.options.clock()), asks, recovering);
    if (reply.tag !== "decided") return "stale";
    for (const [i, ask] of asks.entries()) settle(ask, this.#decision(snapshot, ask, reply.answers[i] ?? null, recovering));
    return "done";
  }

  #decision({ popups }: Snapshot, { impressionId }: PendingDecision, answer: SelectAnswer, recovering: boolean): Decision {
    if (answer === null) return recovering ? degraded("recovering") : { kind: "none" };
    if (typeof answer !== "number") {
      this.options.onFault?.(answer);
      return degraded("unavailable");
    }
    const popup = popups.get(answer);
    if (popup === undefined) return degraded("unpublished");
    if (popup.countsOnServe) this.options.onImpression?.(answer);
    return { kind: "show", campaignId: answer, json: `${popup.json}${impressionId}"}` };
  }

  async #reportAll(snapshot: Snapshot, asks: readonly PendingReport[]): Promise<Degraded | "done" | "stale"> {
    const { verified } = this.#published;
    // What waited for its turn, or for a new list, may find another server than it was meant for.
    if (verified === null || this.recovering) return degraded("recovering");
    this.#late.trusted(verified.word);
    const reply: ReportReply = await report(
      this.options.redis,
      this.options.keys,
      snapshot.version,
      snapshot.windowsAt(this.options.clock()),
      asks.map((ask) => ask.report),
    );
    if (reply.tag === "full") return degraded("full");
    if (reply.tag !== "taken") return "stale";
    const now = this.options.clock();
    for (const [i, ask] of asks.entries()) {
      const receipt = this.#receipt(ask.report, reply.answers[i] ?? "unknown");
      if (receipt.kind !== "unknown" && receipt.kind !== "failed") this.#late.remember({ ...ask.report, at: now }, now);
      settle(ask, receipt);
    }
    return "done";
  }

  #receipt({ type, campaignId }: Report, answer: ReportAnswer): Receipt {
    if (typeof answer === "number") {
      this.options.onImpression?.(campaignId);
      return { kind: "counted", total: answer };
    }
    if (typeof answer !== "string") {
      this.options.onFault?.(answer);
      return { kind: "failed" };
    }
    // A reaction that is sent again is as recorded as it was; only counts tell a retry apart.
    if (answer === "duplicate" && type !== "impression") return { kind: "recorded" };
    return answer === "aside" ? { kind: "unknown" } : { kind: answer };
  }

  /**
   * Asks with the list at hand, and again with the new one where the script says that it is stale. What was
   * answered by its deadline meanwhile is not asked again: that would count what nobody sees.
   * @param ask answers the requests; or says why none is answered, or that the list was stale
   * @returns whether Redis answered
   */
  async #withList<P extends Pending<Degraded>>(
    asks: readonly P[],
    ask: (snapshot: Snapshot, open: readonly P[]) => Promise<Degraded | "done" | "stale">,
  ): Promise<boolean> {
    try {
      let open = asks;
      let why = degraded("unpublished");
      for (let attempt = 0; attempt < STALE_RETRIES && open.length > 0; attempt++) {
        const snapshot = this.#published.current;
        const outcome = snapshot ? await ask(snapshot, open) : "stale";
        if (outcome === "done") return true;
        if (outcome !== "stale") {
          why = outcome;
          break;
        }
        await this.#published.refresh();
        if (!this.#published.current) break;
        open = open.filter((pending) => !pending.answered);
      }
      for (const pending of open) settle(pending, why);
      return true;
    } catch (error) {
      this.#link.note(error);
      for (const pending of asks) settle(pending, degraded("unavailable"));
      return false;
    }
  }
}
