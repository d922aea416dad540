/** Connections to Redis: one kind for the customer's path, which never waits, and one for background work, which does. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { Redis, type RedisOptions } from "ioredis";
import { PopupError, reasonOf } from "../errors.js";
import { explain, refusalOf, withoutCommand } from "./refusal.js";

/** Commands fail at once while Redis is away, and none is sent twice. */
const IMPATIENT = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // 0 makes the client refuse what was in flight when a connection closes.
  maxRetriesPerRequest: 0,
  connectTimeout: 2_000,
} satisfies RedisOptions;

/**
 * A connection for decisions: while Redis is away commands fail at once instead of queueing, and none is sent
 * twice. They are not pipelined by the client: the engine puts many requests into one command.
 * @param ca a PEM file with the certificates that a rediss:// server is trusted by; null for those that Node knows
 * @throws PopupError `bad_file` when that cannot be read
 */
export function hotConnection(url: string, ca: string | null = null): Redis {
  const redis = new Redis({
    ...address(url, ca),
    ...IMPATIENT,
    retryStrategy: (attempt) => Math.min(attempt * 20, 500),
    // A server that hangs, or a network that swallows what is sent: the connection is given up and made again.
    socketTimeout: 2_000,
    maxLoadingRetryTime: 500,
  });
  redis.on("error", explain);
  return redis;
}

/** A connection for looking at Redis: as quick to fail as the customers', and given up when an answer stays away, so that a hung server is not asked on and on. */
export function lookingConnection(url: string, ca: string | null = null): Redis {
  const redis = new Redis({
    ...address(url, ca),
    ...IMPATIENT,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
    socketTimeout: 5_000,
  });
  // Told by the commands that fail.
  redis.on("error", () => undefined);
  return redis;
}

/**
 * A connection for sync, worker and commands. The first attempt decides: it is made here.
 * @param ca see {@link hotConnection}
 * @throws PopupError `unavailable` when Redis does not answer
 */
export async function backgroundConnection(url: string, ca: string | null = null): Promise<Redis> {
  const redis = new Redis({
    ...address(url, ca),
    lazyConnect: true,
    connectTimeout: 5_000,
    // A host that vanished is noticed now, and not when the system gives up sending.
    socketTimeout: 30_000,
    maxRetriesPerRequest: 20,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  redis.on("error", withoutCommand);
  const failure = new Promise<never>((_, reject) => redis.once("error", reject));
  try {
    await Promise.race([redis.connect().then(() => redis.ping()), failure]);
  } catch (error) {
    redis.disconnect();
    const refusal = refusalOf(error);
    throw new PopupError("unavailable", refusal?.message ?? `Redis does not answer: ${reasonOf(error)}`, {
      hint: refusal?.hint ?? "start it, or name another with --redis; --redis embedded needs none",
      cause: error,
    });
  }
  failure.catch(() => undefined);
  // Without a listener a later loss of the connection would end the process; commands report it.
  redis.on("error", () => undefined);
  return redis;
}

function address(url: string, ca: string | null): Pick<RedisOptions, "host" | "port" | "path" | "username" | "password" | "db" | "tls"> {
  if (url.startsWith("unix://")) return { path: url.slice("unix://".length) };
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, "") || "127.0.0.1";
  return {
    host,
    port: parsed.port === "" ? 6379 : Number(parsed.port),
    ...(parsed.username === "" ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === "" ? {} : { password: decodeURIComponent(parsed.password) }),
    ...(parsed.pathname.length > 1 ? { db: Number(parsed.pathname.slice(1)) } : {}),
    ...(parsed.protocol === "rediss:" ? { tls: tlsOptions(host, ca) } : {}),
  };
}

/** The name goes to the server (SNI), which may have several certificates; an address must not. */
function tlsOptions(host: string, ca: string | null): ConnectionOptions {
  return { ...(isIP(host) === 0 ? { servername: host } : {}), ...(ca === null ? {} : { ca: readCa(ca) }) };
}

function readCa(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new PopupError("bad_file", `${path} cannot be read: ${reasonOf(error)}`, { hint: "--redis-ca names a PEM file with the authority's certificates" });
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    throw new PopupError("bad_file", `${path} holds no certificate`, { hint: "--redis-ca names a PEM file with the authority's certificates" });
  return text;
}
