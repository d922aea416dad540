/** Many command lines in one process: starting Node for each would cost a file of cases half a minute. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PACKAGE_ROOT } from "../../dist/version.js";
import type { Cli, Run } from "./cli.js";
import { bareNode } from "./node.js";

// Runs `main` as bin/popup.js does; what it writes is collected per call.
const SCRIPT = `
import { main } from "./dist/cli/main.js";
const write = process.stdout.write.bind(process.stdout);
const runs = [];
for (const args of JSON.parse(process.argv[1])) {
  const run = { code: 0, stdout: "", stderr: "" };
  process.stdout.write = (text) => ((run.stdout += text), true);
  process.stderr.write = (text) => ((run.stderr += text), true);
  run.code = await main(args);
  process.stdout.removeAllListeners("error");
  runs.push(run);
}
write(JSON.stringify(runs));`;

/** The runs of the command lines, in order, in the data folder of `popup`. */
export async function runMany(popup: Pick<Cli, "env">, commands: readonly (readonly string[])[]): Promise<Run[]> {
  const { stdout } = await promisify(execFile)("env", [...bareNode(), "--input-type=module", "-e", SCRIPT, JSON.stringify(commands)], {
    env: popup.env,
    cwd: PACKAGE_ROOT,
    maxBuffer: 64_000_000,
  });
  return JSON.parse(stdout) as Run[];
}
