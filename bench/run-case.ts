/** One case as a process of its own, bounded in time, of which nothing is left afterwards. */
import { fork } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openEmbeddedRedis } from "../dist/redis/embedded.js";
import type { CaseResult } from "./case.js";

const CASE_PROCESS = fileURLToPath(new URL("./case-process.js", import.meta.url));
/** A case that has not ended by then hangs. */
const MOST_MS = { quick: 120_000, full: 900_000 };
/** After SIGTERM a case stops its servers; this long it may take. */
const END_MS = 20_000;

/** The result, or why there is none. */
export type CaseEnd = { readonly result: CaseResult } | { readonly failure: string };

/** @param signal ends it early */
export async function runCase(name: string, quick: boolean, signal: AbortSignal): Promise<CaseEnd> {
  const dir = mkdtempSync(join(tmpdir(), `popup-bench-${name}-`));
  try {
    return await new Promise((resolve) => {
      const child = fork(CASE_PROCESS, [name, dir, ...(quick ? ["--quick"] : [])], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      let result: CaseResult | undefined;
      let failure: string | undefined;
      let killing: NodeJS.Timeout | undefined;
      const end = (why: string): void => {
        failure ??= why;
        child.kill("SIGTERM");
        killing ??= setTimeout(() => child.kill("SIGKILL"), END_MS);
      };
      const most = MOST_MS[quick ? "quick" : "full"];
      const timer = setTimeout(() => end(`it did not end within ${most / 1e3} s`), most);
      const interrupted = (): void => end("interrupted");
      signal.addEventListener("abort", interrupted);
      child.on("message", (message) => (result = message as CaseResult));
      child.once("exit", (code) => {
        clearTimeout(timer);
        clearTimeout(killing);
        signal.removeEventListener("abort", interrupted);
        resolve(result && failure === undefined ? { result } : { failure: failure ?? `its process ended with ${String(code)}; its messages are above` });
      });
    });
  } finally {
    await stopLeftRedis(dir);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A case stops its servers; one that was killed leaves its redis-server, which belongs to whoever opens its folder next. The others end with their channel. */
async function stopLeftRedis(dir: string): Promise<void> {
  for (const name of readdirSync(dir)) {
    const folder = join(dir, name, "redis");
    if (existsSync(folder)) await (await openEmbeddedRedis(folder)).stop();
  }
}
