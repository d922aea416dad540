/** What a redis-server of a test's own is started, asked and ended by. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { Redis, type RedisOptions } from "ioredis";

/** Starts one on loopback, on what is in its folder; `redis.log` is there too. @param settings by their names in redis.conf */
export function spawnRedis(dir: string, settings: Readonly<Record<string, string | number>>, flags: readonly string[] = []): ChildProcess {
  mkdirSync(dir, { recursive: true });
  const log = openSync(join(dir, "redis.log"), "a");
  const all = { bind: "127.0.0.1", dir, appendonly: "yes", save: "", "hash-max-listpack-value": 1024, "maxmemory-policy": "noeviction", ...settings };
  const child = spawn("redis-server", [...Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]), ...flags], {
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  return child;
}

/** Whether the process is there. */
export function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Ends it at once and waits until it has. */
export async function endProcess(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!isRunning(child)) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/** Some work on a connection of its own; rejects while the server does not answer. */
export async function askRedis<T>(port: number, options: Pick<RedisOptions, "password" | "socketTimeout">, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0, ...options });
  // What goes wrong is told by the command that it went wrong for.
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
