/** One run: sessions in parallel until enough requests were made, slow clients beside them, a valid probe every now and then, and the API process under watch. */
import { openFiles, residentBytes } from "../chaos/proc.js";
import { Random } from "../helpers/random.js";
import { until } from "../helpers/until.js";
import { lineThrough, type Point, trendOf } from "../soak/trend.js";
import { Connection, nothingPlayed, type Played, play } from "./client.js";
import type { FuzzedEngine } from "./engine.js";
import { sessionOf } from "./generate.js";
import { rightStep } from "./right.js";
import { SlowClients } from "./slow.js";

const AT_ONCE = 48;
const PROBE_EVERY_MS = 250;
const SAMPLES = 200;
const MOST_FAULTS = 20;

export interface RunPlan {
  readonly seed: number;
  /** Until so many were made. */
  readonly requests: number;
  readonly slowClients: number;
  readonly onProgress?: (requests: number, residentBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Of the API process, bytes resident, from the second fifth of the requests on. */
export interface Memory {
  /** Medians of the second and of the last fifth. */
  readonly second: number;
  readonly last: number;
  /** Of a line through all, with its standard error. */
  readonly perRequest: number;
  readonly perRequestError: number;
}

export interface Outcome extends Played {
  readonly sessions: number;
  readonly seconds: number;
  readonly probes: number;
  readonly slowestProbeMs: number;
  readonly slowClientsCut: number;
  /** Undefined when the run ended too early to say. */
  readonly memory: Memory | undefined;
  /** Open before the first request and after the last. */
  readonly files: { readonly before: number; readonly after: number };
}

export async function fuzz(engine: FuzzedEngine, { seed, requests, slowClients, onProgress = () => undefined, signal }: RunPlan): Promise<Outcome> {
  const started = performance.now();
  const pid = await until("an API process", () => engine.pid());
  // What the first requests open for good is open.
  const warm = nothingPlayed();
  for (let number = 0; number < 50; number++) await play(engine.port, sessionOf(seed, -1 - number), warm);
  const before = openFiles(pid);

  const played = warm;
  const slow = new SlowClients(engine.port, slowClients, new Random(seed));
  const prober = new Prober(engine.port, new Random(seed), played);
  /** Over the number of requests. */
  const samples: Point[] = [];
  let next = 0;
  const player = async (): Promise<void> => {
    while (played.requests < requests && played.faults.length < MOST_FAULTS && signal?.aborted !== true) {
      await play(engine.port, sessionOf(seed, next++), played);
      if (played.requests >= (samples.length * requests) / SAMPLES) {
        samples.push({ s: played.requests, value: residentBytes(pid) });
        onProgress(played.requests, residentBytes(pid));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, player));
  await prober.stop();
  slow.stop();

  let after = openFiles(pid);
  if ((await until("an API process", () => engine.pid())) !== pid) played.faults.push("the API process is another one than at the start");
  try {
    await until("the server has closed what the clients have left", () => (after = openFiles(pid)) <= before);
  } catch (error) {
    played.faults.push(`${after} files are open, before it were ${before}: ${String(error)}`);
  }
  played.faults.push(...engine.complaints(played.spooled).map((line) => `in the log: ${line.slice(0, 1_000)}`));
  return {
    ...played,
    sessions: next,
    seconds: (performance.now() - started) / 1_000,
    probes: prober.count,
    slowestProbeMs: prober.slowestMs,
    slowClientsCut: slow.cut,
    memory: memoryOf(samples),
    files: { before, after },
  };
}

function memoryOf(samples: readonly Point[]): Memory | undefined {
  if (samples.length < SAMPLES / 2) return undefined;
  const { second, last } = trendOf(samples);
  const { slope, error } = lineThrough(samples.slice(Math.floor(samples.length / 5)));
  return { second, last, perRequest: slope, perRequestError: error };
}

/** Customers with nothing wrong about them, one after another, each on a connection of their own. */
class Prober {
  count = 0;
  slowestMs = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(
    private readonly port: number,
    private readonly random: Random,
    private readonly played: Played,
  ) {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const started = performance.now();
      let connection: Connection | undefined;
      try {
        connection = await Connection.open(this.port);
        await connection.play(rightStep(this.random), () => undefined);
      } catch (error) {
        this.played.faults.push(`a customer with nothing wrong about them: ${String(error)}`);
      } finally {
        await connection?.leave();
      }
      this.count++;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
    }
  }
}
