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

/** How long a server may say nothing before it is given up. One that says that it reads its data is waited for: a bank's takes minutes. */
const START_MS = 15_000;
const ANSWER_MS = 1_000;
const LOOK_MS = 20;
/** The system's limit on the path of a unix socket is 107 bytes, 103 on macOS. */
const MAX_SOCKET_PATH = 100;

/**
 * Finds or starts the server of a data folder, and waits until it has read its data.
 * @param dir the folder for its socket, log and append-only file
 * @param patienceMs how long it may say nothing
 * @throws PopupError `unavailable` when redis-server is missing or does not start, or one is there that says nothing
 */
export async function openEmbeddedRedis(dir: string, patienceMs = START_MS): Promise<EmbeddedRedis> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const socket = socketPath(dir);
  const url = `unix://${socket}`;
  const lock = join(dir, "redis.lock");
  const alive = (): Promise<boolean> => listens(socket);
  let deadline = Date.now() + patienceMs;
  const state = async (): Promise<State> => {
    const found = await look(socket);
    if (found === "loading") deadline = Date.now() + patienceMs;
    return found;
  };
  while (!takeLock(lock)) {
    if ((await state()) === "ready") return { url, owned: false, alive, stop: async () => undefined };
    if (Date.now() > deadline) {
      throw new PopupError("unavailable", `another process holds ${lock}, but its redis-server does not answer`, { hint: "stop that process, then try again" });
    }
    await delay(LOOK_MS);
  }
  // Its owner was killed and left it running: it is as good as a new one, and now ours to stop. A second one would write to the same file.
  for (let found = await state(); found !== "none"; found = await state()) {
    if (found === "ready") return { url, owned: true, alive, stop: () => shutDown(socket, lock) };
    if (Date.now() > deadline) {
      releaseLock(lock);
      throw new PopupError("unavailable", `a redis-server listens on ${socket} and does not answer`, { hint: "stop that process, then try again" });
    }
    await delay(LOOK_MS);
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
    const error = await Promise.race([failed, delay(LOOK_MS)]);
    if (error || child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw startFailure(error, logFile);
    }
    if ((await state()) === "ready") return { url, owned: true, alive, stop };
  }
}

function socketPath(dir: string): string {
  const path = join(dir, "redis.sock");
  if (path.length <= MAX_SOCKET_PATH) return path;
  return join(tmpdir(), `popup-${createHash("sha1").update(dir).digest("hex").slice(0, 16)}.sock`);
}

/** What is at a socket: a server that can be used; one that reads its data; one that says nothing, not yet, or no longer, or hung; none. */
type State = "ready" | "loading" | "silent" | "none";

async function look(socket: string): Promise<State> {
  if (!(await listens(socket))) return "none";
  // Without its check the client would wait for the data itself.
  const redis = new Redis({ path: socket, lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null });
  redis.on("error", () => undefined);
  const said = redis
    .connect()
    .then(() => redis.ping())
    .then(
      (): State => "ready",
      (error: unknown): State => (error instanceof Error && error.message.startsWith("LOADING") ? "loading" : "silent"),
    );
  try {
    return await Promise.race([said, delay(ANSWER_MS, "silent" as const, { ref: false })]);
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
  while ((await look(socket)) !== "none") await delay(LOOK_MS);
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
