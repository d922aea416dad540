/**
 * Decisions and reports for one API process: finds the user's partition, keeps the deadline, and turns every
 * trouble into an answer. Nothing on the customer's path rejects, or waits past its deadline.
 */
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import type { Explanation } from "../explanation.js";
import { explain } from "../redis/explain.js";
import type { Keys } from "../redis/keys.js";
import type { Spool } from "../spool/spool.js";
import type { Clock } from "../time.js";
import { type Decision, degraded, type Receipt, type Report, type Trouble } from "./answers.js";
import { newImpressionId } from "./impression-id.js";
import { Lanes } from "./lanes.js";
import { LateReports } from "./late-reports.js";
import type { Popup } from "./published.js";
import { Servers } from "./servers.js";

/** A decision not back from Redis by then is given up (DESIGN §8). */
export const DECISION_DEADLINE_MS = 40;
/** How often a process looks for what no request has told it about; and while it waits for something, ms. */
const REFRESH_MS = 500;
const WAITING_MS = 100;

/** Of a Redis that is known to be no cluster. */
const noNodes = (): never => {
  throw new PopupError("internal", "a node of a cluster was found, and nothing to connect to it");
};

const NO_POPUPS: ReadonlyMap<number, Popup> = new Map();

export interface EngineOptions {
  /** A connection to the one Redis, or to any node of a cluster. */
  readonly redis: Redis;
  /** Makes a connection like it to another node of the cluster. */
  readonly connect?: (host: string, port: number) => Redis;
  /** The names of all partitions: how many there are is learned from Redis. */
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

/** Why a process is not ready, and the partition that it is about where there are several. */
export interface Unready {
  readonly cause: Trouble;
  readonly partition: number | null;
  /** True on a cluster whose users are not in partitions. */
  readonly unpartitioned?: true;
}

export class Engine {
  readonly #servers: Servers;
  readonly #lanes: Lanes;
  readonly #late: LateReports;
  #poll: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly options: EngineOptions) {
    const { redis, keys, clock, spool, onIncident = () => undefined } = options;
    this.#servers = new Servers({ redis, connect: options.connect ?? noNodes, onReady: (link) => this.#lanes.meet(link), onIncident });
    this.#lanes = new Lanes(this.#servers, keys, {
      clock,
      decisionDeadlineMs: options.decisionDeadlineMs ?? DECISION_DEADLINE_MS,
      onTrouble: (error) => this.#servers.note(error),
      onFault: options.onFault,
      onCall: options.onCall,
      onImpression: options.onImpression,
    });
    this.#late = new LateReports({ clock, spool, lanes: this.#lanes });
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
    return this.unready?.cause;
  }

  /** Why this process is not ready, or undefined when it is. */
  get unready(): Unready | undefined {
    const lanes = this.#lanes.all;
    if (this.#servers.usable && this.#lanes.unpartitioned) return { cause: "unpublished", partition: null, unpartitioned: true };
    if (this.#servers.usable && this.#lanes.moving) return { cause: "recovering", partition: null };
    // Not the breaker: it also opens where answers are late, and a balancer that takes the busy processes out makes the others busier.
    // Nor one partition of several that hangs: every process would be taken out for it, and with them the customers of all others.
    if (lanes.every(({ usable, stuck }) => !usable || stuck)) return { cause: "unavailable", partition: null };
    const partition = lanes.findIndex(({ published }) => published.current === undefined);
    return partition < 0 ? undefined : { cause: "unpublished", partition: lanes.length === 1 ? null : partition };
  }

  /** True while what users have seen is being restored, in a partition at least: only campaigns without limits are shown then. */
  get recovering(): boolean {
    return this.#lanes.moving || this.#lanes.all.length === 0 || this.#lanes.all.some(({ recovering }) => recovering);
  }

  /** The version of the list that decisions use; of several partitions the newest. */
  get version(): string | undefined {
    return this.#lanes.newest?.published.current?.manifest.version;
  }

  /** The active campaigns that decisions know, by id. */
  get popups(): ReadonlyMap<number, Popup> {
    return this.#lanes.newest?.published.current?.popups ?? NO_POPUPS;
  }

  /** Which kinds of calls are only tried now and then, because Redis fails them, in a partition at least. */
  get paused(): { readonly decisions: boolean; readonly reports: boolean } {
    const paused = this.#lanes.all.map((lane) => lane.paused);
    return { decisions: paused.some(({ decisions }) => decisions), reports: paused.some(({ reports }) => reports) };
  }

  /** The published API keys, id → SHA-256; undefined until they are known. */
  get apiKeys(): ReadonlyMap<string, Buffer> | undefined {
    return this.#lanes.newest?.published.apiKeys;
  }

  /** Waits for the first connection, for a while, and reads what is published. A process that listened before would answer its first customers with nothing. */
  warmUp(): Promise<void> {
    return this.#servers.warmUp();
  }

  /** Looks for a new publish, and for reports that wait in the spool. */
  async refresh(): Promise<void> {
    try {
      await this.#servers.refresh();
      if (!this.#servers.usable) return;
      await this.#lanes.refresh();
      // Not waited for: a disk that hangs must not keep this process from seeing what Redis says.
      void this.#late.replay().catch((error: unknown) => this.#servers.note(error));
      this.#servers.note(undefined);
    } catch (error) {
      this.#servers.note(error);
    }
  }

  /** Decides what the user sees. @param answer called once, by the deadline at the latest */
  decide(userId: string, sessionId: string | null, answer: (decision: Decision) => void): void {
    const lane = this.#lanes.of(userId);
    if (!lane?.usable) answer(degraded(this.#away));
    else lane.decide({ userId, sessionId, impressionId: newImpressionId(), due: 0, answered: false, answer });
  }

  /** Takes a report. @param answer called once, soon after the deadline at the latest */
  report(given: Report, answer: (receipt: Receipt) => void): void {
    const { type, campaignId, userId, impressionId, sessionId } = given;
    const report = { type, campaignId, userId, impressionId: impressionId ?? newImpressionId(), sessionId };
    const orLater = (receipt: Receipt): void => {
      if (receipt.kind === "degraded") this.#late.keep(report, receipt, answer);
      else answer(receipt);
    };
    const lane = this.#lanes.of(report.userId);
    if (!lane?.usable) orLater(degraded(this.#away));
    else lane.report({ report, due: 0, answered: false, answer: orLater });
  }

  /** Why a user sees what they see at a time, epoch ms. Not for the customer's path: it waits for Redis, and rejects as {@link explain} does. */
  explain(userId: string, sessionId: string | null = null, at = this.options.clock()): Promise<Explanation> {
    const { keys, clock } = this.options;
    const redis = this.#lanes.of(userId)?.redis ?? this.options.redis;
    return explain(redis, keys.ofUser(userId, Math.max(1, this.#lanes.all.length)), { userId, sessionId, at, now: clock() });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#poll);
    this.#servers.close();
    await this.#late.close();
  }

  /** Why there is no lane, or no server for it. */
  get #away(): Trouble {
    if (!this.#servers.usable) return "unavailable";
    if (this.#lanes.unpartitioned) return "unpublished";
    return this.#lanes.moving ? "recovering" : "unavailable";
  }
}
