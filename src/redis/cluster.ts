/** A Redis Cluster as background work sees it: the client finds the server of each key; what concerns all servers is asked of each. */
import { Cluster, Command, type Redis } from "ioredis";
import { PopupError } from "../errors.js";

/** A connection to one server, or to a cluster of them. */
export type RedisLink = Redis | Cluster;

/** True for a connection to a Redis Cluster. */
export function isCluster(redis: RedisLink): redis is Cluster {
  return redis instanceof Cluster;
}

/** The slot of a key, 0…16383: that of what is in its braces, where there are any. */
export function slotOf(key: string): number {
  // The client's own sum: another one that differed would look for keys elsewhere.
  return new Command("get", [key]).getSlot();
}

/** Every server that holds keys: the masters of a cluster, or the one that there is. */
export function serversOf(redis: RedisLink): Redis[] {
  return isCluster(redis) ? redis.nodes("master") : [redis];
}

/**
 * The server that has a key, as the client knows it now.
 * @throws PopupError `unavailable` while it is away
 */
export function serverOf(redis: RedisLink, key: string): Redis {
  if (!isCluster(redis)) return redis;
  const [name] = redis.slots[slotOf(key)] ?? [];
  const server = redis.nodes("master").find(({ options }) => `${options.host}:${options.port}` === name);
  if (server) return server;
  throw new PopupError("unavailable", `the master that has ${key} is away`, {
    hint: "its replica takes its place, if it has one: redis-cli --cluster check HOST:PORT",
  });
}
