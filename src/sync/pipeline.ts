/** Sending many commands without ever holding more than a few of them. */
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
