/** The events that await the worker, read without taking them. */
import type { PopupEvent } from "../event.js";
import type { RedisLink } from "../redis/cluster.js";
import { decodeEvents } from "../redis/events.js";
import type { Keys } from "../redis/keys.js";

/** Entries read at a time; one may hold the events of a hundred requests. */
const STREAM_PAGE = 200;

/** The events that are in the stream, read on from where the last reading ended. */
export class StreamReading {
  lastId = "0-0";
  readonly #byUser = new Map<string, PopupEvent[]>();

  constructor(
    private readonly redis: RedisLink,
    private readonly keys: Keys,
  ) {}

  async readOn(): Promise<void> {
    for (;;) {
      const entries = await this.redis.xrange(this.keys.stream, `(${this.lastId}`, "+", "COUNT", STREAM_PAGE);
      for (const [id, fields] of entries) {
        this.lastId = id;
        for (const event of decodeEvents(fields)) {
          // What is no event is the worker's to set aside.
          if (typeof event === "string") continue;
          const events = this.#byUser.get(event.userId);
          if (events) events.push(event);
          else this.#byUser.set(event.userId, [event]);
        }
      }
      if (entries.length < STREAM_PAGE) return;
    }
  }

  userIds(): Iterable<string> {
    return this.#byUser.keys();
  }

  ofUser(userId: string): readonly PopupEvent[] {
    return this.#byUser.get(userId) ?? [];
  }
}
