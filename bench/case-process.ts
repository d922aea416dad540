/**
 * The process of one case: `node dist-bench/case-process.js NAME [FOLDER] [--quick]`. Tells its result to the
 * runner, or prints it when there is none. The folder is the runner's; alone, a case makes its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CaseContext, CaseResult } from "./case.js";
import { renderCase } from "./render.js";

const words = process.argv.slice(2);
const [name = "", folder] = words.filter((word) => !word.startsWith("--"));
const dir = folder ?? mkdtempSync(join(tmpdir(), `popup-bench-${name}-`));
const stops: (() => unknown)[] = [];
const context: CaseContext = {
  quick: words.includes("--quick"),
  dir,
  defer: (stop) => void stops.push(stop),
  note: (text) => void process.stderr.write(`  ${name}: ${text}\n`),
};

let ending: Promise<never> | undefined;
/** Once: an interrupted case also fails, and its servers are stopped before the process ends. */
function end(code: number): Promise<never> {
  return (ending ??= stopAll(code));
}

async function stopAll(code: number): Promise<never> {
  for (const stop of stops.reverse())
    await Promise.resolve()
      .then(stop)
      .catch(() => undefined);
  if (folder === undefined) rmSync(dir, { recursive: true, force: true });
  process.exit(code);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void end(1));
process.once("disconnect", () => void end(1));

try {
  const { run } = (await import(`./cases/${name}.js`)) as { run(context: CaseContext): Promise<CaseResult> };
  const result = await run(context);
  if (process.send) await new Promise((resolve) => process.send?.(result, resolve));
  else process.stdout.write(renderCase(name, result));
  await end(0);
} catch (error) {
  // While it ends, its servers go away under its hands.
  if (ending === undefined) process.stderr.write(`  ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  await end(1);
}
