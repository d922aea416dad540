/** Sending many commands without ever holding more than a few of them. */
import type { ChainableCommander } from "ioredis";
import type { RedisLink } from "../redis/cluster.js";

/** Commands in flight while much is sent. */
const PIPELINE = 64;

/** Adds a command; every {@link PIPELINE} of them are sent and waited for. `end()` sends the rest. Both throw the first error. */
export interface BoundedPipeline {
  (add: (pipeline: ChainableCommander) => void): Promise<void>;
  end(): Promise<void>;
}

export function bounded(redis: RedisLink): BoundedPipeline {
  let pipeline = redis.pipeline();
  const end = async (): Promise<void> => {
    if (pipeline.length === 0) return;
    const full = pipeline;
    pipeline = redis.pipeline();
    // exec alone resolves whatever became of the commands.
    for (const [error] of (await full.exec()) ?? []) if (error) throw error;
  };
  const send = async (add: (pipeline: ChainableCommander) => void): Promise<void> => {
    add(pipeline);
    if (pipeline.length >= PIPELINE) await end();
  };
  return Object.assign(send, { end });
}
