/** What the processes of an engine hold, every few seconds. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { infoField } from "../../dist/redis/info.js";
import { openFiles, residentBytes } from "../chaos/proc.js";
import type { Point } from "./trend.js";

/** Of one thing that is watched: `api 1`, resident memory. */
export interface Series {
  readonly process: string;
  readonly what: "resident" | "heap" | "client buffers" | "open files";
  readonly points: Point[];
}

export interface Watched {
  readonly name: string;
  readonly pid: number;
  readonly isNode: boolean;
}

export class Samples {
  readonly series: Series[];
  /** Redis' data, bytes, and the impressions it was asked to keep: they grow together. */
  readonly data: { readonly s: number; readonly bytes: number; readonly events: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #started = performance.now();
  readonly #told = new Map<number, number>();
  #failure: unknown;

  /**
   * @param heaps the folder of heap-report.mjs' files
   * @param redis a connection of its own
   * @param events how many events there have been
   */
  constructor(
    private readonly watched: readonly Watched[],
    private readonly heaps: string,
    private readonly redis: Redis,
    everyMs: number,
    private readonly events: () => Promise<number>,
  ) {
    this.series = watched.flatMap(({ name, isNode }) =>
      (["resident", ...(isNode ? ["heap" as const] : ["client buffers" as const]), "open files"] as const).map((what) => ({ process: name, what, points: [] })),
    );
    this.#timer = setInterval(() => void this.#take().catch((error: unknown) => (this.#failure ??= error)), everyMs);
  }

  /** @throws what a sample failed with: a process that has ended is no flat one */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #take(): Promise<void> {
    const s = (performance.now() - this.#started) / 1e3;
    const put = (process: string, what: Series["what"], value: number): void =>
      void this.series.find((one) => one.process === process && one.what === what)?.points.push({ s, value });
    for (const { name, pid, isNode } of this.watched) {
      const resident = residentBytes(pid);
      if (resident === 0) throw new Error(`${name} has ended`);
      put(name, "resident", resident);
      put(name, "open files", openFiles(pid));
      const heap = isNode ? this.#heapOf(pid) : undefined;
      if (heap !== undefined) put(name, "heap", heap);
    }
    const info = await this.redis.info("memory");
    const field = (name: string): number => Number(infoField(info, name));
    put("redis", "client buffers", field("mem_clients_normal"));
    this.data.push({ s, bytes: field("used_memory") - field("mem_clients_normal"), events: await this.events() });
  }

  /** What a process has told since it was last asked. */
  #heapOf(pid: number): number | undefined {
    const path = join(this.heaps, `${pid}.json`);
    if (!existsSync(path)) return undefined;
    const { at, heapUsed } = JSON.parse(readFileSync(path, "utf8")) as { at: number; heapUsed: number };
    if (this.#told.get(pid) === at) return undefined;
    this.#told.set(pid, at);
    return heapUsed;
  }
}
