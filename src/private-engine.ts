/** An engine for a while: `popup serve` on a free port with an embedded Redis, in a temporary folder that goes with it. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Config, configEnv } from "./config.js";
import { PopupError } from "./errors.js";
import { PACKAGE_ROOT } from "./version.js";

export interface PrivateEngine {
  readonly url: string;
  /** Resolves when every process of it has ended. */
  stop(): Promise<void>;
}

/** The command line of this package. */
export const POPUP = join(PACKAGE_ROOT, "bin", "popup.js");
const READY_MS = 30_000;

/**
 * Runs `work` with the configuration of a fresh data folder, and removes the folder after it, whatever comes of it.
 * @param name goes into the folder's name
 */
export async function inTemporaryFolder<T>(name: string, base: Config, work: (config: Config) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), `popup-${name}-`));
  try {
    return await work({ ...base, dataDir: dir, redisUrl: "embedded", prefix: "" });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Starts the engine and waits until it is ready.
 * @param port a free one
 * @param signal ends the waiting
 * @param args further ones of `popup serve`
 * @throws PopupError `unavailable` when it does not become ready; it has ended then
 */
export async function startPrivateEngine(
  config: Config,
  port: number,
  { signal, args = [] }: { readonly signal?: AbortSignal | undefined; readonly args?: readonly string[] } = {},
): Promise<PrivateEngine> {
  const process = fork(POPUP, ["serve", "--port", String(port), "--admin", "off", "--quiet", ...args], {
    env: configEnv(config),
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const engine: PrivateEngine = { url: `http://127.0.0.1:${port}`, stop: () => stop(process) };
  try {
    await untilReady(engine.url, process, signal);
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

async function untilReady(url: string, engine: ChildProcess, signal: AbortSignal | undefined): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline && engine.exitCode === null && signal?.aborted !== true) {
    if (await isReady(url)) return;
    await delay(50);
  }
  throw new PopupError("unavailable", "the engine did not become ready", { hint: "popup doctor checks this machine" });
}

/** Ready, and done with its first look at Redis' counters. */
async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`);
    const body = (await answer.json()) as { recovering?: boolean };
    return answer.status === 200 && body.recovering !== true;
  } catch {
    // Not listening yet.
    return false;
  }
}

async function stop(engine: ChildProcess): Promise<void> {
  if (engine.exitCode !== null || engine.signalCode !== null) return;
  const exited = new Promise((resolve) => engine.once("exit", resolve));
  engine.kill("SIGTERM");
  await exited;
}

/** A port of 127.0.0.1 that nothing listens on now. @throws PopupError `unavailable` */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address
          ? resolve(address.port)
          : reject(new PopupError("unavailable", "no port of 127.0.0.1 is free", { hint: "end some of what listens on this machine" })),
      );
    });
  });
}
