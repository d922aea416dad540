/** The scripts, called for the list that was last published, at the engine's clock. */
import type { TestEngine } from "./engine.js";
import { readManifest } from "../../src/packed-list.js";
import { audienceKeys, recordImpression, recordReaction, select, type AudienceKeys, type ImpressionReply, type ReactionReply, type ReportCall, type SelectReply } from "../../src/redis/decisions.js";
import type { Reaction } from "../../src/campaign.js";
import type { Redis } from "ioredis";
import { windowsAt } from "../../src/time.js";

export class Worksheet {
  version = "-".repeat(24);
  timezone = "UTC";
  audiences: AudienceKeys = { forIntegers: [], forStrings: [] };

  /** @param redis the connection to call on */
  constructor(private readonly engine: TestEngine, private readonly redis: Redis = engine.redis) {}

  /** Publishes what the store has and takes up the list. */
  async publish(): Promise<void> {
    await this.engine.publish();
    const list = await this.engine.redis.getBuffer(this.engine.keys.list);
    if (!list) throw new Error("nothing was published");
    const manifest = readManifest(list);
    this.version = manifest.version;
    this.timezone = manifest.timezone;
    this.audiences = audienceKeys(this.engine.keys, manifest);
  }

  select(userId: string, sessionId: string | null = null, impressionId = "offered"): Promise<SelectReply> {
    const windows = windowsAt(this.engine.now, this.timezone);
    return select(this.redis, this.engine.keys, { version: this.version, audiences: this.audiences, userId, windows, sessionId, impressionId });
  }

  impression(userId: string, campaignId: number, impressionId: string, sessionId: string | null = null): Promise<ImpressionReply> {
    return recordImpression(this.redis, this.engine.keys, this.#call(userId, campaignId, impressionId, sessionId));
  }

  reaction(reaction: Reaction, userId: string, campaignId: number, impressionId: string, sessionId: string | null = null): Promise<ReactionReply> {
    return recordReaction(this.redis, this.engine.keys, reaction, this.#call(userId, campaignId, impressionId, sessionId));
  }

  /** The stream's entries, as objects. */
  async events(): Promise<Record<string, string>[]> {
    const entries = await this.engine.redis.xrange(this.engine.keys.stream, "-", "+");
    return entries.map(([, fields]) => {
      const event: Record<string, string> = {};
      for (let i = 0; i + 1 < fields.length; i += 2) event[fields[i] ?? ""] = fields[i + 1] ?? "";
      return event;
    });
  }

  #call(userId: string, campaignId: number, impressionId: string, sessionId: string | null): ReportCall {
    return { version: this.version, campaignId, userId, impressionId, sessionId, windows: windowsAt(this.engine.now, this.timezone) };
  }
}
