/** The events that await the worker, read without taking them. */
import type { Redis } from "ioredis";
import type { PopupEvent } from "../event.js";
import { decodeEvent } from "../redis/events.js";
import type { Keys } from "../redis/keys.js";

const STREAM_PAGE = 1_000;

/** The events that are in the stream, read on from where the last reading ended. */
export class StreamReading {
  lastId = "0-0";
  readonly #byUser = new Map<string, PopupEvent[]>();

  constructor(private readonly redis: Redis, private readonly keys: Keys) {}

  async readOn(): Promise<void> {
    for (;;) {
      const entries = await this.redis.xrange(this.keys.stream, `(${this.lastId}`, "+", "COUNT", STREAM_PAGE);
      for (const [id, fields] of entries) {
        this.lastId = id;
        const event = decodeEvent(fields);
        // An entry that is no event is the worker's to set aside.
        if (typeof event === "string") continue;
        const events = this.#byUser.get(event.userId);
        if (events) events.push(event);
        else this.#byUser.set(event.userId, [event]);
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
