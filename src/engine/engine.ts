/**
 * Decisions and reports for one API process: asks the scripts, keeps the deadline, and turns every
 * trouble into an answer. Nothing here rejects and nothing waits past its deadline.
 */
import type { Redis } from "ioredis";
import { v7 as uuidv7 } from "uuid";
import type { EventType } from "../event.js";
import { recordImpression, recordReaction, select, type ImpressionReply, type ListTrouble, type ReactionReply, type SelectReply } from "../redis/decisions.js";
import type { Keys } from "../redis/keys.js";
import type { Clock } from "../time.js";
import { Published, type Snapshot } from "./published.js";

/** A decision not back from Redis by then is given up (DESIGN §8). */
export const DECISION_DEADLINE_MS = 40;
/** The app does not wait for a report's answer, so it may take longer; but it ends. */
export const REPORT_DEADLINE_MS = 1_000;
/** A Redis that takes longer to connect to is away; the process listens without it. */
const WARM_UP_MS = 3_000;
/** How often a process looks for a publish that no request has told it about. */
const REFRESH_MS = 500;
/** A list that is stale again after being read anew this often changes faster than it can be used. */
const STALE_RETRIES = 3;

export type Trouble = "timeout" | "unavailable" | "unpublished";

export type Decision =
  | { readonly kind: "show"; readonly campaignId: number; readonly json: string }
  | { readonly kind: "none" }
  | { readonly kind: "degraded"; readonly cause: Trouble };

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
  | { readonly kind: "degraded"; readonly cause: Trouble };

export class Engine {
  readonly #published: Published;
  readonly #poll: NodeJS.Timeout;
  #incident: string | undefined;

  /** @param onIncident told once when trouble begins and once when it is over (undefined) */
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly clock: Clock,
    private readonly onIncident: (cause: string | undefined) => void = () => undefined,
    private readonly decisionDeadlineMs: number = DECISION_DEADLINE_MS,
  ) {
    this.#published = new Published(redis, keys, clock);
    redis.on("error", (error: Error) => this.#note(error));
    redis.on("ready", () => void this.refresh());
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

  async decide(userId: string, sessionId: string | null): Promise<Decision> {
    const now = this.clock();
    const impressionId = uuidv7();
    return this.#guard<Decision>(this.decisionDeadlineMs, async (late) => {
      let used: Snapshot | undefined;
      const reply = await this.#withList(late, (snapshot): Promise<SelectReply> => {
        used = snapshot;
        const { manifest, audiences, windowsAt } = snapshot;
        return select(this.redis, this.keys, { version: manifest.version, audiences, userId, windows: windowsAt(now), sessionId, impressionId });
      });
      if (reply.tag === "none") return { kind: "none" };
      const prefix = reply.tag === "show" ? used?.bodies.get(reply.campaignId) : undefined;
      if (reply.tag !== "show" || prefix === undefined) return { kind: "degraded", cause: "unpublished" };
      return { kind: "show", campaignId: reply.campaignId, json: `${prefix}${impressionId}"}` };
    });
  }

  async report(report: Report): Promise<Receipt> {
    const now = this.clock();
    const { type, campaignId, userId, sessionId } = report;
    const impressionId = report.impressionId ?? uuidv7();
    return this.#guard<Receipt>(REPORT_DEADLINE_MS, async (late) => {
      const reply = await this.#withList(late, ({ manifest, windowsAt }): Promise<ImpressionReply | ReactionReply> => {
        const call = { version: manifest.version, campaignId, userId, impressionId, sessionId, windows: windowsAt(now) };
        return type === "impression" ? recordImpression(this.redis, this.keys, call) : recordReaction(this.redis, this.keys, type, call);
      });
      if (reply.tag === "counted") return { kind: "counted", total: reply.total };
      if (reply.tag === "stale" || reply.tag === "unpublished") return { kind: "degraded", cause: "unpublished" };
      if (reply.tag === "unknown") return { kind: "unknown" };
      // A reaction that is sent again is as recorded as it was; only counts tell a retry apart.
      return { kind: type === "impression" ? reply.tag : "recorded" };
    });
  }

  close(): void {
    clearInterval(this.#poll);
    this.redis.disconnect();
  }

  /**
   * Asks with the list at hand, and again with the new one where the script says that it is stale.
   * @param late true once the request was answered: asking then would count what nobody sees
   */
  async #withList<R extends { readonly tag: string }>(late: () => boolean, ask: (snapshot: Snapshot) => Promise<R>): Promise<R | { readonly tag: ListTrouble }> {
    for (let attempt = 0; attempt < STALE_RETRIES && !late(); attempt++) {
      const snapshot = this.#published.current;
      if (snapshot) {
        const reply = await ask(snapshot);
        if (reply.tag !== "stale" && reply.tag !== "unpublished") return reply;
      }
      await this.#published.refresh();
      if (!this.#published.current) return { tag: "unpublished" };
    }
    return { tag: "stale" };
  }

  /** The work's answer, or the trouble that kept it: at once when Redis is away, at the deadline when it is slow. */
  #guard<T>(deadlineMs: number, work: (late: () => boolean) => Promise<T>): Promise<T | { kind: "degraded"; cause: Trouble }> {
    if (this.redis.status !== "ready") return Promise.resolve({ kind: "degraded", cause: "unavailable" });
    return new Promise((resolve) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        resolve({ kind: "degraded", cause: "timeout" });
      }, deadlineMs);
      work(() => late).then(
        (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        (error: unknown) => {
          clearTimeout(timer);
          this.#note(error);
          resolve({ kind: "degraded", cause: "unavailable" });
        },
      );
    });
  }

  /** One call of `onIncident` per incident, not per request. */
  #note(error: unknown): void {
    const incident = error === undefined ? undefined : error instanceof Error ? error.message : String(error);
    if (incident === this.#incident) return;
    this.#incident = incident;
    this.onIncident(incident);
  }
}
