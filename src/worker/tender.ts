/** Looking after the streams: how much awaits a sink, and what every sink is done with. */
import type { RedisLink } from "../redis/cluster.js";
import { readStreamState } from "../redis/stream-state.js";
import { compareStreamIds } from "../stream-id.js";
import type { Backlog } from "./backlog.js";
import type { Group } from "./group.js";

/** Acknowledged entries stay this long, for `sync --full` to see what came while it read (sync/restore.ts). */
export const STREAM_KEEP_MS = 60_000;
const TEND_EVERY_MS = 5_000;

export class Tender {
  #at = 0;

  /** @param sink its name, which is that of its groups */
  constructor(
    private readonly redis: RedisLink,
    private readonly sink: string,
    private readonly backlog: Backlog,
  ) {}

  /** Every few seconds: looks how much awaits the sink, and cuts what is done with from the streams. @throws the first trouble, when all were looked at */
  async tend(groups: readonly Group[]): Promise<void> {
    const now = Date.now();
    if (now < this.#at || this.redis.status !== "ready") return;
    this.#at = now + TEND_EVERY_MS;
    const outcomes = await Promise.allSettled(groups.map(({ stream }) => this.#tendOne(stream, now)));
    const waiting = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" && outcome.value !== undefined ? [outcome.value] : []));
    if (waiting.length > 0) this.backlog.look(waiting.reduce((sum, entries) => sum + entries, 0));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** @returns entries that await the sink, undefined while it has no group */
  async #tendOne(stream: string, now: number): Promise<number | undefined> {
    const { groups } = await readStreamState(this.redis, stream);
    const own = groups.find(({ name }) => name === this.sink);
    // Behind what every group has acknowledged, and never within the last minute.
    let until = `${now - STREAM_KEEP_MS}-0`;
    for (const { oldestPending, lastDelivered } of groups) {
      const needed = oldestPending ?? lastDelivered;
      if (compareStreamIds(needed, until) < 0) until = needed;
    }
    await this.redis.xtrim(stream, "MINID", until);
    return own && own.lag + own.pending;
  }
}
