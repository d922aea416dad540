/**
 * The process of one case: `node dist-bench/case-process.js NAME [--quick]`. Tells its result to the
 * runner, or prints it when there is none.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CaseContext, CaseResult } from "./case.js";
import { renderCase } from "./render.js";

const [name = "", ...flags] = process.argv.slice(2);
const stops: (() => unknown)[] = [];
const dir = mkdtempSync(join(tmpdir(), `popup-bench-${name}-`));
const context: CaseContext = {
  quick: flags.includes("--quick"),
  dir,
  defer: (stop) => void stops.push(stop),
  note: (text) => void process.stderr.write(`  ${name}: ${text}\n`),
};

async function end(code: number): Promise<never> {
  for (const stop of stops.splice(0).reverse()) await Promise.resolve().then(stop).catch(() => undefined);
  rmSync(dir, { recursive: true, force: true });
  process.exit(code);
}
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end(1));
process.once("disconnect", () => void end(1));

try {
  const { run } = (await import(`./cases/${name}.js`)) as { run(context: CaseContext): Promise<CaseResult> };
  const result = await run(context);
  if (process.send) await new Promise((resolve) => process.send?.(result, resolve));
  else process.stdout.write(renderCase(name, result));
  await end(0);
} catch (error) {
  process.stderr.write(`  ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  await end(1);
}
