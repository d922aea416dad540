/** The engine's own commands, as processes beside a subject. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../dist/version.js";
import type { CaseContext } from "./case.js";
import { stopChild } from "./servers.js";

const POPUP = join(PACKAGE_ROOT, "bin", "popup.js");

/** Starts `popup …`, which runs until the end of the case unless it ends by itself. */
export function startPopup(context: CaseContext, env: NodeJS.ProcessEnv, args: readonly string[]): ChildProcess {
  const child = fork(POPUP, [...args, "--quiet"], { env, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  context.defer(() => stopChild(child));
  return child;
}

/** Runs `popup …` to its end; seconds it took. @throws Error when it fails */
export async function runPopup(context: CaseContext, env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  const started = performance.now();
  const [code] = (await once(startPopup(context, env, args), "exit")) as [number | null];
  if (code !== 0) throw new Error(`popup ${args.join(" ")} ended with ${String(code)}`);
  return (performance.now() - started) / 1e3;
}
