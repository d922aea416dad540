/** Sending many commands without ever holding more than a few of them, and long strings in pieces. */
import type { ChainableCommander } from "ioredis";
import type { RedisLink } from "../redis/cluster.js";

/** Commands in flight while much is sent, and the bytes of their values: some megabytes at once would lie before the decisions that come after them. */
const COMMANDS = 64;
const BYTES = 262_144;

/** Adds a command; as soon as some are together they are sent and waited for. `end()` sends the rest. Both throw the first error. */
export interface BoundedPipeline {
  /** @param bytes of its values, where they are many */
  (add: (pipeline: ChainableCommander) => void, bytes?: number): Promise<void>;
  end(): Promise<void>;
}

export function bounded(redis: RedisLink): BoundedPipeline {
  let pipeline = redis.pipeline();
  let together = 0;
  const end = async (): Promise<void> => {
    if (pipeline.length === 0) return;
    const full = pipeline;
    pipeline = redis.pipeline();
    together = 0;
    // exec alone resolves whatever became of the commands.
    for (const [error] of (await full.exec()) ?? []) if (error) throw error;
  };
  const send = async (add: (pipeline: ChainableCommander) => void, bytes = 0): Promise<void> => {
    add(pipeline);
    together += bytes;
    if (pipeline.length >= COMMANDS || together >= BYTES) await end();
  };
  return Object.assign(send, { end });
}

/** Bytes in one SETRANGE: some tens of microseconds of Redis' time. */
const PIECE_BYTES = 65_536;

/** Gives a string its whole length at once: growing piece by piece, Redis would copy what is there again and again, and keep twice the room. */
export async function makeRoom(send: BoundedPipeline, key: string, bytes: number): Promise<void> {
  await send((p) => p.setrange(key, bytes - 1, "\0"));
}

/** Writes into a string, from a place on. The bytes are copied: they may change afterwards. */
export async function writeBytes(send: BoundedPipeline, key: string, at: number, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
    const piece = Buffer.from(bytes.subarray(from, from + PIECE_BYTES));
    await send((p) => p.setrange(key, at + from, piece), piece.length);
  }
}
