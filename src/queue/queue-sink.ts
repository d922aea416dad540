/** A queue as a sink: the worker acknowledges an entry of the stream after the broker has confirmed every message of it. */
import { PopupError, reasonOf } from "../errors.js";
import type { StreamMark } from "../stream-id.js";
import type { Sink } from "../worker/sink.js";
import { messagesOf, type QueueMessage } from "./message.js";
import type { QueueName } from "./settings.js";

/** One connection to a broker. */
export interface Sender {
  /** Resolves when the broker has all of them for good. @throws when it is not sure of one */
  send(messages: readonly QueueMessage[], marks: readonly StreamMark[]): Promise<void>;
  /** What the broker has said last of why it takes nothing, where it has. */
  readonly complaint: string | undefined;
  /** Gives up what is on its way. */
  close(): Promise<void>;
}

export interface QueueSink extends Sink {
  close(): Promise<void>;
}

/** How long a broker may take to confirm a batch, ms. */
export const CONFIRM_MS = 10_000;

/**
 * Connects with the first batch. After a failure the connection is given up and the next attempt makes another: so no more than one batch
 * is ever on its way, and whatever was wrong with the connection is gone with it. What the broker had taken of that batch comes twice.
 * @param open connects; @throws when it cannot
 * @param confirmMs see {@link CONFIRM_MS}
 */
export function queueSink(name: QueueName, open: () => Promise<Sender>, confirmMs: number = CONFIRM_MS): QueueSink {
  let sender: Sender | undefined;
  const giveUp = async (): Promise<void> => {
    const broken = sender;
    sender = undefined;
    await broken?.close();
  };
  return {
    name,
    write: async (events, dead, last) => {
      const { messages, refused } = messagesOf(events, dead);
      if (messages.length > 0) {
        try {
          sender ??= await open();
          await within(confirmMs, sender.send(messages, last));
        } catch (error) {
          const reason = sender?.complaint ?? reasonOf(error);
          await giveUp();
          throw unavailable(name, "takes", reason, error);
        }
      }
      return { added: events.length - refused.length, refused };
    },
    close: giveUp,
  };
}

const TITLE: Record<QueueName, string> = { rabbitmq: "RabbitMQ", kafka: "Kafka" };

/** A broker that does not do what it is asked. */
export function unavailable(name: QueueName, what: "takes" | "gives", reason: string, cause: unknown): PopupError {
  return new PopupError("unavailable", `${TITLE[name]} ${what} no events: ${reason}`, {
    hint: "is it running, and are its address, user and password right? Nothing is lost: what it has not taken waits in the stream, what is not read in the queue",
    cause,
  });
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not confirmed them within ${ms / 1_000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
