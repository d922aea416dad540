/** Which server process answers: what a restart, a failover or another server behind the same address is told by. */
import type { Redis } from "ioredis";
import { reasonOf } from "../errors.js";
import { isCluster, type RedisLink, serverOf, serversOf } from "./cluster.js";
import { infoField } from "./info.js";

/** Where the user may not ask. A server that was replaced is not noticed then. */
const UNNAMED = "unnamed";

export interface Identity {
  /** New with every start of a redis-server. */
  readonly runId: string;
  /** Whether it is a node of a Redis Cluster. */
  readonly cluster: boolean;
}

/** Who is at the other end of a connection. */
export async function identify(redis: Redis): Promise<Identity> {
  let info: string;
  try {
    info = await redis.info("server");
  } catch (error) {
    if (reasonOf(error).startsWith("NOPERM")) return { runId: UNNAMED, cluster: false };
    throw error;
  }
  return { runId: infoField(info, "run_id") ?? UNNAMED, cluster: infoField(info, "redis_mode") === "cluster" };
}

/** The run id of the server that has a key. */
export async function runIdOf(redis: RedisLink, key: string): Promise<string> {
  return (await (isCluster(redis) ? nodeIdentity(serverOf(redis, key)) : identify(redis))).runId;
}

/** The run ids of the servers that have some keys, in their order. */
export async function runIdsOf(redis: RedisLink, keys: readonly string[]): Promise<string[]> {
  if (isCluster(redis)) return Promise.all(keys.map((key) => runIdOf(redis, key)));
  const { runId } = await identify(redis);
  return keys.map(() => runId);
}

/** The run ids of the masters of a cluster that answer, in order; none of a single server. */
export async function mastersRunIds(redis: RedisLink): Promise<string[]> {
  if (!isCluster(redis)) return [];
  const found = await Promise.allSettled(serversOf(redis).map(nodeIdentity));
  return found.flatMap((one) => (one.status === "fulfilled" ? [one.value.runId] : [])).sort();
}

/** The run ids of all servers as one text: it is another one when one of them was replaced. */
export async function allRunIds(redis: RedisLink): Promise<string> {
  const found = await Promise.all(serversOf(redis).map(identify));
  return found
    .map(({ runId }) => runId)
    .sort()
    .join();
}

/** By connection: to a node that comes back the cluster's client makes another one, so each need be asked once. */
const nodes = new WeakMap<Redis, Promise<Identity>>();

function nodeIdentity(node: Redis): Promise<Identity> {
  let identity = nodes.get(node);
  if (!identity) {
    identity = identify(node);
    nodes.set(node, identity);
    identity.catch(() => nodes.delete(node));
  }
  return identity;
}
