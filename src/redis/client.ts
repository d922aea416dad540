/** Connections to Redis: one kind for the customer's path, which never waits, and one for background work, which does. */
import { Redis, type RedisOptions } from "ioredis";
import { PopupError, reasonOf } from "../errors.js";

/**
 * A connection for decisions: while Redis is away commands fail at once instead of queueing, and none is sent
 * twice. They are not pipelined by the client: the engine puts many requests into one command.
 */
export function hotConnection(url: string): Redis {
  return new Redis({
    ...address(url),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // 0 makes the client refuse what was in flight when a connection closes.
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 20, 500),
    connectTimeout: 2_000,
  });
}

/** A connection for looking at Redis: as quick to fail as the customers', and given up when an answer stays away, so that a hung server is not asked on and on. */
export function lookingConnection(url: string): Redis {
  const redis = new Redis({
    ...address(url),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
    connectTimeout: 2_000,
    socketTimeout: 5_000,
  });
  // Told by the commands that fail.
  redis.on("error", () => undefined);
  return redis;
}

/**
 * A connection for sync, worker and commands. The first attempt decides: it is made here.
 * @throws PopupError `unavailable` when Redis does not answer
 */
export async function backgroundConnection(url: string): Promise<Redis> {
  const redis = new Redis({
    ...address(url),
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 20,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  const failure = new Promise<never>((_, reject) => redis.once("error", reject));
  try {
    await Promise.race([redis.connect().then(() => redis.ping()), failure]);
  } catch (error) {
    redis.disconnect();
    throw new PopupError("unavailable", `Redis does not answer: ${reasonOf(error)}`, {
      hint: "start it, or name another with --redis; --redis embedded needs none",
      cause: error,
    });
  }
  failure.catch(() => undefined);
  // Without a listener a later loss of the connection would end the process; commands report it.
  redis.on("error", () => undefined);
  return redis;
}

function address(url: string): Pick<RedisOptions, "host" | "port" | "path" | "username" | "password" | "db" | "tls"> {
  if (url.startsWith("unix://")) return { path: url.slice("unix://".length) };
  const parsed = new URL(url);
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, "") || "127.0.0.1",
    port: parsed.port === "" ? 6379 : Number(parsed.port),
    ...(parsed.username === "" ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === "" ? {} : { password: decodeURIComponent(parsed.password) }),
    ...(parsed.pathname.length > 1 ? { db: Number(parsed.pathname.slice(1)) } : {}),
    ...(parsed.protocol === "rediss:" ? { tls: {} } : {}),
  };
}
