/** Which server process answers: what a restart, a failover or another server behind the same address is told by. */
import type { Redis } from "ioredis";
import { reasonOf } from "../errors.js";

/** Where the user may not ask. A server that was replaced is not noticed then. */
const UNNAMED = "unnamed";

/** The run id of the server at the other end, new with every start of a redis-server. */
export async function runIdOf(redis: Redis): Promise<string> {
  let info: string;
  try {
    info = await redis.info("server");
  } catch (error) {
    if (reasonOf(error).startsWith("NOPERM")) return UNNAMED;
    throw error;
  }
  return /^run_id:(\w+)/m.exec(info)?.[1] ?? UNNAMED;
}
