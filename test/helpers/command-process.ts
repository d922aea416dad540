/**
 * The other end of `cli-many.ts`: runs the command lines that come over descriptor 3, one after another, each as `bin/popup.js` would in a
 * process of its own. That such a process would end is looked at too: a command is done when nothing that it opened is open any more.
 */
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { main } from "../../dist/cli/main.js";
import type { CommandReply, CommandRequest } from "./cli-many.js";

const CLOSING_MS = 10_000;

const channel = new Socket({ fd: 3 });
const requests = createInterface({ input: channel });
let idle: string[] | undefined;

/** What keeps this process running, beside what did before its first command. */
function open(): string[] {
  const left = process.getActiveResourcesInfo();
  for (const resource of (idle ??= left.slice())) {
    const at = left.indexOf(resource);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}

async function run({ args, env }: CommandRequest): Promise<CommandReply> {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name];
  Object.assign(process.env, env);
  const told = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) process[name].write = (text: string | Uint8Array) => ((told[name] += Buffer.from(text).toString()), true);
  const code = await main(args);
  // Each run of the program listens to it anew.
  process.stdout.removeAllListeners("error");
  const deadline = Date.now() + CLOSING_MS;
  while (open().length > 0 && Date.now() < deadline) await delay(1);
  return { code, ...told, open: open() };
}

for await (const line of requests) {
  open();
  channel.write(`${JSON.stringify(await run(JSON.parse(line) as CommandRequest))}\n`);
}
