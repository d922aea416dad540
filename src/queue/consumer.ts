/** The other end of a queue: reads it and fills a store, batch by batch. What comes twice changes nothing. */
import { reasonOf } from "../errors.js";
import type { DeadEvent, PopupEvent } from "../event.js";
import { deadMessage, decodeMessage } from "../queue-event.js";
import type { EventTable } from "../store/events.js";
import { compareStreamIds, type StreamMark } from "../stream-id.js";
import { Rounds, type RoundsOptions, troubleOf } from "../worker/rounds.js";
import type { BatchResult } from "../worker/worker.js";
import type { Delivered } from "./message.js";
import { unavailable } from "./queue-sink.js";
import type { Receiver, Taken } from "./receiver.js";
import type { QueueName } from "./settings.js";

export interface ConsumerOptions extends RoundsOptions {
  readonly onBatch?: (result: BatchResult) => void;
}

const WAIT_MS = 500;
const SMALL = 200;

export class Consumer {
  readonly #rounds: Rounds;
  #receiver: Receiver | undefined;
  /** What the store could not take, or the broker did not hear acknowledged: it is tried again before anything else. */
  #held: Taken | undefined;

  /** @param open connects; @throws when it cannot */
  constructor(
    private readonly queue: QueueName,
    private readonly open: () => Promise<Receiver>,
    private readonly events: EventTable,
    private readonly options: ConsumerOptions = {},
  ) {
    this.#rounds = new Rounds(SMALL, options);
  }

  /** Works until {@link stop}; trouble is waited out and tried again. Resolves when the batch in hand is done. */
  run(): Promise<void> {
    return this.#rounds.run(async () => {
      let taken = 0;
      const trouble = await troubleOf(async () => {
        taken = await this.step(WAIT_MS);
      });
      return { taken, trouble };
    });
  }

  stop(): void {
    this.#rounds.stop();
  }

  /**
   * One batch: what is in hand, or what the queue gives.
   * @param waitMs how long to wait for the first message
   * @returns messages acknowledged
   * @throws PopupError `unavailable` when the broker does not do its part, SqliteError when the store does not; nothing is lost then
   */
  async step(waitMs: number): Promise<number> {
    const taken = (this.#held ??= await this.#read(waitMs));
    if (taken.messages.length > 0) {
      const started = performance.now();
      const counts = this.#keep(taken.messages);
      await this.#asking(taken.acknowledge());
      this.options.onBatch?.({ ...counts, seconds: (performance.now() - started) / 1_000 });
    }
    this.#held = undefined;
    return taken.messages.length;
  }

  async close(): Promise<void> {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    await receiver?.close();
  }

  async #read(waitMs: number): Promise<Taken> {
    const receiver = (this.#receiver ??= await this.#asking(this.open()));
    return this.#asking(receiver.read(waitMs));
  }

  /** What the broker did not hear it gives again, by a new connection. */
  async #asking<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.#held = undefined;
      await this.close();
      throw unavailable(this.queue, "gives", reasonOf(error), error);
    }
  }

  #keep(messages: readonly Delivered[]): Omit<BatchResult, "seconds"> {
    const events: PopupEvent[] = [];
    const sources: Delivered[] = [];
    const dead: DeadEvent[] = [];
    for (const message of messages) {
      const decoded = decodeMessage(message.text);
      if ("event" in decoded) {
        events.push(decoded.event);
        sources.push(message);
      } else dead.push("dead" in decoded ? decoded.dead : deadMessage(message.asideId, decoded.problem, message.text));
    }
    const refused: DeadEvent[] = [];
    const added = this.events.write(events, dead, marksOf(messages), ({ index, reason }) => {
      const source = sources[index];
      if (source) refused.push(deadMessage(source.asideId, reason, source.text));
    });
    if (refused.length > 0) this.events.write([], refused);
    return { added, duplicates: events.length - added - refused.length, dead: dead.length + refused.length };
  }
}

/** The farthest of each stream. */
function marksOf(messages: readonly Delivered[]): StreamMark[] {
  const marks = new Map<string, StreamMark>();
  for (const mark of messages.flatMap(({ marks }) => marks)) {
    const known = marks.get(mark.stream);
    if (!known || compareStreamIds(mark.id, known.id) > 0) marks.set(mark.stream, mark);
  }
  return [...marks.values()];
}
