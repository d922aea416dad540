/** The scripts, called for the list that was last published, at the engine's clock. */

import type { Reaction } from "../../dist/campaign.js";
import type { EventType } from "../../dist/event.js";
import { readManifest } from "../../dist/manifest.js";
import type { RedisLink } from "../../dist/redis/cluster.js";
import { directKeys, type ListView, type ReportAsk, report, type SelectAsk, select } from "../../dist/redis/decisions.js";
import type { Keys } from "../../dist/redis/keys.js";
import { rowFinder } from "../../dist/redis/rows.js";
import { type Windows, windowsAt } from "../../dist/time.js";
import type { TestEngine } from "./engine.js";
import { readStream, type StreamEvent } from "./stream.js";

/** What became of one ask, in the words of the contract. */
export interface Outcome {
  readonly tag: string;
  readonly campaignId?: number;
  readonly total?: number;
}
export interface Live extends ListView {
  readonly timezone: string;
}

/** The published list, as the calls need it. @param keys of its partition */
export async function readLive(redis: RedisLink, keys: Keys): Promise<Live> {
  const text = await redis.get(keys.manifest);
  if (text === null) throw new Error("nothing was published");
  const { version, timezone, direct, index, serves, test_users } = readManifest(text);
  return { version, timezone, serves, testUsers: new Set(test_users), findRow: rowFinder(keys, index), directKeys: directKeys(keys, direct) };
}

/** Asks for some users in one call. Throws where there is no decision for one. */
export async function selectAll(
  redis: RedisLink,
  keys: Keys,
  live: ListView,
  windows: Windows,
  asks: readonly SelectAsk[],
  unlimited = false,
): Promise<Outcome[]> {
  const reply = await select(redis, keys, live, windows, asks, unlimited);
  if (reply.tag !== "decided") return asks.map(() => reply);
  return reply.answers.map((answer) => {
    if (answer === null) return { tag: "none" };
    if (typeof answer !== "number") throw answer;
    return { tag: "show", campaignId: answer };
  });
}

/** Makes some reports in one call. Throws where one was not taken. */
export async function reportAll(redis: RedisLink, keys: Keys, version: string, windows: Windows, asks: readonly ReportAsk[]): Promise<Outcome[]> {
  const reply = await report(redis, keys, version, windows, asks);
  if (reply.tag !== "taken") return asks.map(() => reply);
  return reply.answers.map((answer) => {
    if (typeof answer === "number") return { tag: "counted", total: answer };
    if (typeof answer !== "string") throw answer;
    return { tag: answer };
  });
}

export class Worksheet {
  live: Live = {
    version: "-".repeat(24),
    timezone: "UTC",
    serves: true,
    testUsers: new Set(),
    findRow: () => ({ key: "campaigns:compiled", from: "", to: "" }),
    directKeys: [],
  };

  /** @param redis the connection to call on */
  constructor(
    private readonly engine: TestEngine,
    private readonly redis: RedisLink = engine.redis,
  ) {}

  get version(): string {
    return this.live.version;
  }

  get windows(): Windows {
    return windowsAt(this.engine.now, this.live.timezone);
  }

  /** Publishes what the store has and takes up the list. */
  async publish(): Promise<void> {
    await this.engine.publish();
    this.live = await readLive(this.engine.redis, this.engine.keys);
  }

  async select(userId: string, sessionId: string | null = null, impressionId = "offered"): Promise<Outcome | undefined> {
    return (await selectAll(this.redis, this.engine.keys, this.live, this.windows, [{ userId, sessionId, impressionId }]))[0];
  }

  impression(userId: string, campaignId: number, impressionId: string, sessionId: string | null = null): Promise<Outcome | undefined> {
    return this.#report("impression", userId, campaignId, impressionId, sessionId);
  }

  reaction(reaction: Reaction, userId: string, campaignId: number, impressionId: string, sessionId: string | null = null): Promise<Outcome | undefined> {
    return this.#report(reaction, userId, campaignId, impressionId, sessionId);
  }

  /** The stream's entries, as objects. */
  events(): Promise<StreamEvent[]> {
    return readStream(this.engine.redis, this.engine.keys.stream);
  }

  async #report(type: EventType, userId: string, campaignId: number, impressionId: string, sessionId: string | null): Promise<Outcome | undefined> {
    return (await reportAll(this.redis, this.engine.keys, this.version, this.windows, [{ type, campaignId, userId, impressionId, sessionId }]))[0];
  }
}
