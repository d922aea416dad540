/** `npm run fuzz`: every kind of wrong request at an engine of real processes; does it stay up, answer what is right, and give back what it takes? */
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { describeMachine } from "../../dist-bench/machine.js";
import { seedOfRun } from "../helpers/random.js";
import { nothingPlayed, play } from "./client.js";
import { openEngine } from "./engine.js";
import { sessionOf } from "./generate.js";
import { fuzz, type Outcome } from "./run.js";

const MIB = 1_048_576;
/** What memory may grow by from the second to the last fifth of the requests: allocators keep some of what they are given back. */
const MOST_GROWTH = 24 * MIB;
/** With fewer requests it is still filling up. */
const ENOUGH_TO_TELL = 200_000;

const program = new Command("fuzz")
  .description("sends an engine requests of every wrong kind")
  .option("--requests <n>", "how many", "1000000")
  .option("--seed <n>", "draws the same ones again", String(seedOfRun()))
  .option("--session <n>", "play only this one of the seed's sessions, and print it")
  .option("--slow-clients <n>", "connections that send a byte a second", "200")
  .option("--out <file>", "write the figures as JSON")
  .parse();
const flags = program.opts<{ requests: string; seed: string; session?: string; slowClients: string; out?: string }>();
const [requests, seed, slowClients] = [Number(flags.requests), Number(flags.seed), Number(flags.slowClients)];
if (![requests, seed, slowClients, Number(flags.session ?? 0)].every(Number.isInteger))
  program.error("--requests, --seed, --session and --slow-clients are whole numbers", { exitCode: 2 });

// Ctrl-C reaches the processes of the engine too; its folder is removed all the same.
const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupt.abort());

const engine = await openEngine();
try {
  process.exitCode = flags.session === undefined ? await all() : await one(Number(flags.session));
} finally {
  await engine.close();
}

async function all(): Promise<number> {
  let told = 0;
  const outcome = await fuzz(engine, {
    seed,
    requests,
    slowClients,
    signal: interrupt.signal,
    onProgress: (done, resident) => {
      if (done - told < requests / 20) return;
      told = done;
      process.stderr.write(`${done.toLocaleString("en-US")} requests, ${mib(resident)} MiB\n`);
    },
  });
  const { second = 0, last = 0 } = outcome.memory ?? {};
  if (requests >= ENOUGH_TO_TELL && last - second > MOST_GROWTH) outcome.faults.push(`memory grew from ${mib(second)} to ${mib(last)} MiB`);
  if (interrupt.signal.aborted) outcome.faults.push("interrupted");
  const figures = figuresOf(outcome);
  process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
  if (flags.out !== undefined) writeFileSync(flags.out, `${JSON.stringify(figures)}\n`);
  return outcome.faults.length === 0 ? 0 : 1;
}

async function one(number: number): Promise<number> {
  const session = sessionOf(seed, number);
  for (const { name, writes, wants, ending } of session.steps) {
    process.stdout.write(
      `${name}: wants ${JSON.stringify(wants)}, then ${ending}\n${writes.map((piece) => `  ${JSON.stringify(piece.toString("latin1"))}\n`).join("")}`,
    );
  }
  const played = nothingPlayed();
  await play(engine.port, session, played);
  played.faults.push(...engine.complaints(played.spooled));
  process.stdout.write(`${played.faults.length === 0 ? "well" : played.faults.join("\n")}\n`);
  return played.faults.length === 0 ? 0 : 1;
}

function figuresOf({ answers, memory, seconds, slowestProbeMs, ...rest }: Outcome): Record<string, unknown> {
  return {
    what: "http fuzz",
    date: new Date().toISOString(),
    seed,
    ...rest,
    seconds: Math.round(seconds),
    slowestProbeMs: Math.round(slowestProbeMs),
    answers: Object.fromEntries([...answers].sort(([a], [b]) => a - b)),
    memory: memory && {
      secondFifthMiB: mib(memory.second),
      lastFifthMiB: mib(memory.last),
      bytesPerRequest: Number(memory.perRequest.toFixed(2)),
      standardError: Number(memory.perRequestError.toFixed(2)),
    },
    machine: describeMachine(),
  };
}

function mib(bytes: number): number {
  return Number((bytes / MIB).toFixed(1));
}
