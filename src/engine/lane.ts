/**
 * The calls of one partition: its list as published, its turns with their breakers, and what Redis took of it lately. Each partition has
 * its own, so that the trouble of one stops no decision of the others; where there is one partition, there is one lane.
 */
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import { type ReportAnswer, type ReportReply, report, reportLate, type SelectAnswer, select } from "../redis/decisions.js";
import type { Keys } from "../redis/keys.js";
import { slotTroubleOf } from "../redis/slots.js";
import { acceptedAt, type SpooledReport } from "../spool/spool.js";
import type { Clock } from "../time.js";
import { type Decision, type Degraded, degraded, type Receipt, type Report } from "./answers.js";
import { Lately } from "./lately.js";
import type { Link } from "./link.js";
import { Published, type SharedPopups, type Snapshot, STALE_RETRIES } from "./published.js";
import { type Pending, settle, Turns } from "./turns.js";
import { type Outcome, type Whereabouts, wherever } from "./wherever.js";

/** The app does not wait for a report's answer, so it may take longer; but it ends. */
const REPORT_DEADLINE_MS = 1_000;
/** Memberships that one call may ask for by the audiences' own keys: some 3 ms of Redis' time. */
const MOST_MEMBERSHIPS = 4_000;

export interface PendingDecision extends Pending<Decision> {
  readonly userId: string;
  readonly sessionId: string | null;
  readonly impressionId: string;
}
export interface PendingReport extends Pending<Receipt> {
  readonly report: Report & { readonly impressionId: string };
}

export interface LaneOptions {
  /** The names of the partition. */
  readonly keys: Keys;
  /** Of all lanes of the process. */
  readonly popups: SharedPopups;
  readonly clock: Clock;
  readonly decisionDeadlineMs: number;
  /** The link to the server that has the partition, undefined while there is none. */
  readonly link: () => Link | undefined;
  /** Looks again which server has it. */
  readonly onMoved: () => Promise<void>;
  /** Told of trouble whenever it is seen. */
  readonly onTrouble: (error: unknown) => void;
  readonly onFault: ((fault: PopupError) => void) | undefined;
  readonly onCall: ((call: "select" | "report", seconds: number, answered: boolean) => void) | undefined;
  readonly onImpression: ((campaignId: number) => void) | undefined;
}

export class Lane {
  readonly published: Published;
  readonly lately: Lately;
  readonly #decisions: Turns<Decision, PendingDecision>;
  readonly #reports: Turns<Receipt, PendingReport>;
  readonly #where: Whereabouts;

  constructor(private readonly options: LaneOptions) {
    const { keys, clock, onCall, decisionDeadlineMs } = options;
    this.published = new Published(() => this.redis, keys, clock, options.popups);
    this.lately = new Lately(clock, keys.share.count);
    this.#where = { usable: () => this.usable, onMoved: options.onMoved };
    this.#decisions = new Turns({
      deadlineMs: decisionDeadlineMs,
      late: degraded("timeout"),
      refused: degraded("unavailable"),
      most: () => this.#mostDecisions(),
      onCall: onCall && ((seconds, answered) => onCall("select", seconds, answered)),
      work: (asks) => this.#withList(asks, (snapshot, open) => this.#decideAll(snapshot, open)),
    });
    this.#reports = new Turns({
      // Never less time than a decision has.
      deadlineMs: Math.max(REPORT_DEADLINE_MS, decisionDeadlineMs),
      late: degraded("timeout"),
      refused: degraded("unavailable"),
      onCall: onCall && ((seconds, answered) => onCall("report", seconds, answered)),
      work: (asks) => this.#withList(asks, (snapshot, open) => this.#reportAll(snapshot, open)),
    });
  }

  /** True while what users have seen is being restored: only campaigns without limits are shown then. */
  get recovering(): boolean {
    const { verified } = this.published;
    const runId = this.link?.runId;
    return runId === undefined || verified?.runIds.includes(runId) !== true;
  }

  /** The link to the server that has the partition, undefined while there is none. */
  get link(): Link | undefined {
    return this.options.link();
  }

  /** Whether there is a server to be asked. */
  get usable(): boolean {
    return this.link?.usable === true;
  }

  /** @throws PopupError `unavailable` while no server is known to have the partition */
  get redis(): Redis {
    const { link } = this;
    if (!link) throw new PopupError("unavailable", "no master of the cluster has this partition", { hint: "redis-cli --cluster check HOST:PORT" });
    return link.redis;
  }

  /** A hung Redis holds one call of a kind; the other kind need not find it out for itself. */
  get stuck(): boolean {
    return this.#decisions.stuck || this.#reports.stuck;
  }

  /** Which kinds of calls are only tried now and then, because Redis fails them. */
  get paused(): { readonly decisions: boolean; readonly reports: boolean } {
    return { decisions: this.stuck || this.#decisions.breaker.open, reports: this.stuck || this.#reports.breaker.open };
  }

  /** Whether Redis takes reports now. */
  get takesReports(): boolean {
    return this.usable && !this.recovering && !this.stuck;
  }

  decide(ask: PendingDecision): void {
    if (this.#reports.stuck) settle(ask, degraded("unavailable"));
    else this.#decisions.add(ask);
  }

  report(ask: PendingReport): void {
    if (this.#decisions.stuck) settle(ask, degraded("unavailable"));
    // Counters that are too low would let it through a cap that is full.
    else if (this.recovering) settle(ask, degraded("recovering"));
    else this.#reports.add(ask);
  }

  /** Reads what is published, and notes whether the counters are trusted. */
  async refresh(): Promise<void> {
    try {
      await this.published.refresh();
    } catch (error) {
      const trouble = slotTroubleOf(error);
      if (trouble === undefined) throw error;
      // On its way the slot is asked for again at the next look; what was read last is as it was.
      if (trouble === "moving") return;
      await this.options.onMoved();
      await this.published.refresh();
    }
    const { verified } = this.published;
    if (verified && !this.recovering) this.lately.trusted(verified.word);
  }

  /** Makes reports that were accepted earlier. @throws PopupError `unavailable` when Redis does not take them now */
  async makeLate(batch: readonly SpooledReport[]): Promise<void> {
    const { keys, clock } = this.options;
    for (let attempt = 0; attempt < STALE_RETRIES; attempt++) {
      if (!this.takesReports)
        throw new PopupError("unavailable", "Redis takes no reports now; those that it could not take wait", {
          hint: "they are made when it takes them again",
        });
      const snapshot = this.published.current;
      if (snapshot) {
        const reply = await reportLate(this.redis, keys, snapshot.version, snapshot.windowsAt(clock()), batch, snapshot.windowsAt);
        if (reply.tag === "taken") {
          for (const [i, report] of batch.entries()) {
            // Redis may lose these as well.
            this.lately.remember(report, clock());
            if (typeof reply.answers[i] === "number") this.options.onImpression?.(report.campaignId);
          }
          return;
        }
        if (reply.tag === "full")
          throw new PopupError("unavailable", "the event stream is full; reports wait in the spool", { hint: "is the worker running?" });
      }
      await this.published.refresh();
    }
    throw new PopupError("unavailable", "nothing is published, or it changes too fast; reports wait in the spool", { hint: "run popup sync" });
  }

  /** Where many audiences are not in the index, a decision may ask each of them: a call holds as many as Redis can spare the time for. */
  #mostDecisions(): number {
    const direct = this.published.current?.manifest.direct.length ?? 0;
    return Math.max(1, Math.floor(MOST_MEMBERSHIPS / Math.max(1, direct)));
  }

  async #decideAll(snapshot: Snapshot, asks: readonly PendingDecision[]): Promise<Outcome> {
    const recovering = this.recovering;
    const reply = await select(this.redis, this.options.keys, snapshot, snapshot.windowsAt(this.options.clock()), asks, recovering);
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

  async #reportAll(snapshot: Snapshot, asks: readonly PendingReport[]): Promise<Outcome> {
    const { verified } = this.published;
    // What waited for its turn, or for a new list, may find another server than it was meant for.
    if (verified === null || this.recovering) return degraded("recovering");
    this.lately.trusted(verified.word);
    const reply: ReportReply = await report(
      this.redis,
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
      if (receipt.kind !== "unknown" && receipt.kind !== "failed") this.lately.remember(acceptedAt(ask.report, now), now);
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
  async #withList<P extends Pending<Degraded>>(asks: readonly P[], ask: (snapshot: Snapshot, open: readonly P[]) => Promise<Outcome>): Promise<boolean> {
    try {
      let open = asks;
      let why = degraded("unpublished");
      for (let attempt = 0; attempt < STALE_RETRIES && open.length > 0; attempt++) {
        const snapshot = this.published.current;
        const outcome = snapshot ? await wherever(open, (some) => ask(snapshot, some), this.#where) : "stale";
        if (outcome === "done") return true;
        if (outcome !== "stale") {
          why = outcome;
          break;
        }
        await this.published.refresh();
        if (!this.published.current) break;
        open = open.filter((pending) => !pending.answered);
      }
      for (const pending of open) settle(pending, why);
      return true;
    } catch (error) {
      this.options.onTrouble(error);
      for (const pending of asks) settle(pending, degraded("unavailable"));
      return false;
    }
  }
}
