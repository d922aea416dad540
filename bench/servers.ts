/** The servers of a case, each a process of its own: a private redis-server, the engine's API, the floor. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { type Config, configEnv, redisDir, storePath } from "../dist/config.js";
import { freePort } from "../dist/private-engine.js";
import { serverConnection } from "../dist/redis/client.js";
import { openEmbeddedRedis } from "../dist/redis/embedded.js";
import { Keys } from "../dist/redis/keys.js";
import type { ApiMessage } from "../dist/serve/messages.js";
import { openStore, type Store } from "../dist/store/store.js";
import { PACKAGE_ROOT } from "../dist/version.js";
import { type Answers, readAnswers } from "./answers.js";
import type { CaseContext } from "./case.js";
import { prepareFloor } from "./floor.js";
import { publishAll } from "./publish-all.js";

/** Something that is put under load. */
export interface Subject {
  readonly name: string;
  readonly url: string;
  readonly apiPid: number;
  readonly redisPid: number;
  /** A connection of the benchmark's own to its Redis. */
  readonly redis: Redis;
  /** Processes that work beside it and whose CPU time is told apart. */
  readonly beside: readonly { readonly name: string; readonly pid: number }[];
  /** Answers so far, by what they were. */
  answers(): Promise<Answers>;
  /** Before the end of the case, where another one follows. */
  stop(): Promise<void>;
}

export interface EngineSubject extends Subject {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly keys: Keys;
}

const API_PROCESS = join(PACKAGE_ROOT, "dist", "serve", "api-process.js");
const FLOOR_PROCESS = fileURLToPath(new URL("./floor-server.js", import.meta.url));
const HOST = "127.0.0.1";

/** The engine's API process, as `popup serve` starts it, on a store that `fill` has filled and that was published. */
export async function startEngine(context: CaseContext, name: string, fill: (store: Store) => void): Promise<EngineSubject> {
  const { redis, redisUrl, redisPid, stopRedis } = await startRedis(context, name);
  const config: Config = { dataDir: join(context.dir, name), redisUrl, redisCa: null, prefix: "", actor: "bench" };
  const keys = new Keys(config.prefix);
  const store = openStore(storePath(config), { actor: config.actor });
  try {
    fill(store);
    await publishAll(store, redis, keys);
  } finally {
    store.close();
  }
  await settled(redis);
  const env = configEnv(config);
  const port = await freePort();
  const api = await startChild(context, API_PROCESS, [JSON.stringify({ host: HOST, port })], env, (message: ApiMessage) => {
    if (message.kind === "failed") throw new Error(message.message);
    return message.kind === "listening";
  });
  const stop = async (): Promise<void> => {
    await stopChild(api);
    await stopRedis();
  };
  return { name, url: `http://${HOST}:${port}`, apiPid: pidOf(api), redisPid, redis, beside: [], config, env, keys, answers: () => readAnswers(api), stop };
}

/** What any design with one Redis round trip must cost: see floor-server.ts. */
export async function startFloor(context: CaseContext): Promise<Subject> {
  const { redis, redisUrl, redisPid, stopRedis } = await startRedis(context, "floor");
  await prepareFloor(redis);
  await settled(redis);
  const port = await freePort();
  const server = await startChild(context, FLOOR_PROCESS, [JSON.stringify({ host: HOST, port, redisUrl })], process.env, (message) => message === "listening");
  const stop = async (): Promise<void> => {
    await stopChild(server);
    await stopRedis();
  };
  // It has one answer only, and wrk counts any other status as an error.
  return { name: "floor", url: `http://${HOST}:${port}`, apiPid: pidOf(server), redisPid, redis, beside: [], answers: async () => ({}), stop };
}

interface RedisServer {
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly redisPid: number;
  stopRedis(): Promise<void>;
}

/** A redis-server with the flags of the engine's embedded one, because it is that. */
async function startRedis(context: CaseContext, name: string): Promise<RedisServer> {
  const server = await openEmbeddedRedis(redisDir({ dataDir: join(context.dir, name), redisUrl: "embedded", redisCa: null, prefix: "", actor: "bench" }));
  context.defer(() => server.stop());
  const redis = await serverConnection(server.url);
  context.defer(() => redis.disconnect());
  const redisPid = Number(/^process_id:(\d+)/m.exec(await redis.info("server"))?.[1]);
  return {
    redis,
    redisUrl: server.url,
    redisPid,
    stopRedis: async () => {
      redis.disconnect();
      await server.stop();
    },
  };
}

/** Waits until Redis rewrites no append-only file: filling it may have begun one, and it takes a core. */
export async function settled(redis: Redis): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 100) {
    const info = await redis.info("persistence");
    if (/^aof_rewrite_in_progress:0/m.test(info) && /^aof_rewrite_scheduled:0/m.test(info) && /^rdb_bgsave_in_progress:0/m.test(info)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("Redis has rewritten its append-only file for a minute");
}

/** A Node process with a channel; resolves when a message of it is the one that says it is ready. */
export async function startChild<M>(
  context: CaseContext,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  isReady: (message: M) => boolean,
): Promise<ChildProcess> {
  const child = fork(file, [...args], { env, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  context.defer(() => stopChild(child));
  await new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`${file} ended with ${String(code)} before it was ready`)));
    child.on("message", (message) => {
      try {
        if (isReady(message as M)) resolve();
      } catch (error) {
        reject(error as Error);
      }
    });
  });
  return child;
}

/** Ends a process that this one started, by its pid; killed if it does not end in 10 s. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exited;
  clearTimeout(timer);
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("the process was not started");
  return child.pid;
}
