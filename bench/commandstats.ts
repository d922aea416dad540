/** What Redis says about the time that commands took. */
import type { Redis } from "ioredis";

export interface CommandTime {
  readonly calls: number;
  /** µs in the command, without reading it and writing its reply; NaN when it was not called. */
  readonly usPerCall: number;
}

/** The time of one command while `work` goes on. No one else may use this Redis for it. */
export async function timed(redis: Redis, command: string, work: () => Promise<unknown>): Promise<CommandTime> {
  await redis.config("RESETSTAT");
  await work();
  return parseCommandstats(await redis.info("commandstats"), command);
}

export function parseCommandstats(info: string, command: string): CommandTime {
  const line = new RegExp(`^cmdstat_${command}:calls=(\\d+),usec=(\\d+)`, "m").exec(info);
  const calls = Number(line?.[1] ?? 0);
  return { calls, usPerCall: Number(line?.[2] ?? 0) / calls };
}
