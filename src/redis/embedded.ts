/**
 * The engine's own `redis-server`: on a unix socket in the data folder, append-only file on,
 * stopped by the process that started it. A second process finds it running and shares it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import { releaseLock, takeLock } from "../pid-lock.js";

export interface EmbeddedRedis {
  /** `unix://…` */
  readonly url: string;
  /** True when this process started the server and will stop it. */
  readonly owned: boolean;
  /** Stops an owned server; leaves a shared one. Resolves when it has exited. */
  stop(): Promise<void>;
  /** False when no server listens on the socket any more; true for one that is only slow. */
  alive(): Promise<boolean>;
}

const START_MS = 15_000;
const ANSWER_MS = 1_000;
/** The system's limit on the path of a unix socket is 107 bytes, 103 on macOS. */
const MAX_SOCKET_PATH = 100;

/**
 * Finds or starts the server of a data folder.
 * @param dir the folder for its socket, log and append-only file
 * @throws PopupError `unavailable` when redis-server is missing or does not start
 */
export async function openEmbeddedRedis(dir: string): Promise<EmbeddedRedis> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const socket = socketPath(dir);
  const url = `unix://${socket}`;
  const deadline = Date.now() + START_MS;
  const lock = join(dir, "redis.lock");
  const alive = (): Promise<boolean> => listens(socket);
  while (!takeLock(lock)) {
    if (await answers(socket)) return { url, owned: false, alive, stop: async () => undefined };
    if (Date.now() > deadline) {
      throw new PopupError("unavailable", `another process holds ${lock}, but its redis-server does not answer`, { hint: "stop that process, then try again" });
    }
    await delay(50);
  }
  if (await answers(socket)) {
    // Its owner was killed and left it running: it is as good as a new one, and now ours to stop.
    return { url, owned: true, alive, stop: () => shutDown(socket, lock) };
  }
  const logFile = join(dir, "redis.log");
  const child = spawn(
    "redis-server",
    [
      "--port",
      "0",
      "--unixsocket",
      socket,
      "--unixsocketperm",
      "700",
      "--dir",
      dir,
      "--logfile",
      logFile,
      "--appendonly",
      "yes",
      "--appendfsync",
      "everysec",
      "--save",
      "",
      // A record with some times and ids in it stays one compact block.
      "--hash-max-listpack-value",
      "1024",
      "--maxmemory-policy",
      "noeviction",
      "--daemonize",
      "no",
      // Reports append some megabytes a second at most: rewriting the file at 64 MB, the default, would keep a core busy.
      "--auto-aof-rewrite-min-size",
      "256mb",
    ],
    // A Ctrl-C at the terminal goes to the whole process group; the server must outlive its users.
    { stdio: "ignore", detached: true },
  );
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const failed = new Promise<Error>((resolve) => child.once("error", resolve));
  const stop = async (): Promise<void> => {
    await stopChild(child, exited);
    releaseLock(lock);
  };
  for (;;) {
    const error = await Promise.race([failed, delay(20)]);
    if (error || child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw startFailure(error, logFile);
    }
    if (await answers(socket)) return { url, owned: true, alive, stop };
  }
}

function socketPath(dir: string): string {
  const path = join(dir, "redis.sock");
  if (path.length <= MAX_SOCKET_PATH) return path;
  return join(tmpdir(), `popup-${createHash("sha1").update(dir).digest("hex").slice(0, 16)}.sock`);
}

async function answers(socket: string): Promise<boolean> {
  if (!(await listens(socket))) return false;
  const redis = new Redis({ path: socket, lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  // Not yet, or no longer, or hung: all mean "does not answer".
  const pong = redis
    .connect()
    .then(() => redis.ping())
    .then(
      () => true,
      () => false,
    );
  try {
    return await Promise.race([pong, delay(ANSWER_MS, false, { ref: false })]);
  } finally {
    redis.disconnect();
  }
}

function listens(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const done = (open: boolean): void => {
      connection.destroy();
      resolve(open);
    };
    connection.once("connect", () => done(true));
    connection.once("error", () => done(false));
  });
}

async function shutDown(socket: string, lock: string): Promise<void> {
  if (!(await listens(socket))) {
    releaseLock(lock);
    return;
  }
  const redis = new Redis({ path: socket, lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  await redis.connect();
  // A server that shuts down closes the connection instead of answering.
  await redis.shutdown().catch(() => undefined);
  redis.disconnect();
  while (await answers(socket)) await delay(20);
  releaseLock(lock);
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await exited;
}

function startFailure(error: Error | undefined | void, logFile: string): PopupError {
  if (error && (error as NodeJS.ErrnoException).code === "ENOENT") {
    return new PopupError("unavailable", "redis-server is not installed", {
      hint: "Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis; or name a server with --redis",
    });
  }
  const log = existsSync(logFile) ? readFileSync(logFile, "utf8").trim().split("\n").slice(-3).join("\n") : "";
  return new PopupError("unavailable", `redis-server did not start: ${error?.message ?? log}`, { hint: `its log is ${logFile}` });
}
