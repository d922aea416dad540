/** Load from the benchmark's own client: closed loop, and open loop with latency from the due time. */
import { getPriority, setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { build, type Histogram } from "hdr-histogram-js";
import { Connection, type Reply } from "./http-client.js";
import { CONNECTIONS } from "./wrk.js";

/** What a degraded or failed answer counts as, ms: one that never came. */
export const LOST_MS = 1_000;
/** How long answers are waited for after the last request. */
const DRAIN_MS = 5_000;

/** Of the open loop's client; 0 is the usual, -20 the highest. */
const CLIENT_PRIORITY = -10;

const isGood = ({ status, degraded }: Reply): boolean => !degraded && (status === 200 || status === 202 || status === 204);

async function withConnections<T>(url: string, work: (connections: Connection[]) => Promise<T>): Promise<T> {
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(url));
  try {
    return await work(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

export interface ClosedResult {
  readonly requests: number;
  readonly rps: number;
  readonly bad: number;
}

/**
 * Each connection asks again as soon as it has its answer.
 * @param next the next request, or undefined at the end
 */
export function closedLoop(url: string, next: () => string | undefined): Promise<ClosedResult> {
  return withConnections(url, async (connections) => {
    const started = performance.now();
    let requests = 0;
    let bad = 0;
    await Promise.all(
      connections.map(
        (connection) =>
          new Promise<void>((resolve) => {
            const ask = (): void => {
              const request = next();
              if (request === undefined) return resolve();
              connection.send(request, (reply) => {
                requests++;
                if (!isGood(reply)) bad++;
                // A connection that broke does not come back; its share is left to the others.
                if (reply.status === 0) resolve();
                else ask();
              });
            };
            ask();
          }),
      ),
    );
    return { requests, rps: requests / ((performance.now() - started) / 1e3), bad };
  });
}

/** Requests of one kind for a while, as {@link closedLoop} wants them. */
export function during(seconds: number, request: () => string): () => string | undefined {
  const end = performance.now() + seconds * 1e3;
  return () => (performance.now() < end ? request() : undefined);
}

export interface OpenResult {
  readonly requests: number;
  /** Degraded, refused or missing answers; each is in the latencies as {@link LOST_MS}. */
  readonly bad: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** The longest that the client itself did not run: what was due then was sent late, whatever the server did. */
  readonly clientStallMs: number;
}

/**
 * Requests fall due at a fixed rate, whatever the answers do, and wait for a free connection if need be.
 * Latency is counted from the due time: a server that stalls pays for all who waited (no coordinated omission).
 * Node's timers make up to about a millisecond of it.
 * @param rate requests/s
 * @param goesOn asked every millisecond; false ends it
 */
export function openLoop(url: string, rate: number, goesOn: () => boolean, request: () => string): Promise<OpenResult> {
  return withPriority(() =>
    withConnections(url, async (connections) => {
      const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 });
      const free = [...connections];
      const due: number[] = [];
      let requests = 0;
      let open = 0;
      let bad = 0;
      const lose = (): void => {
        bad++;
        histogram.recordValue(LOST_MS * 1e3);
      };
      const pump = (): void => {
        while (due.length > 0) {
          const connection = free.pop();
          if (!connection) return;
          const at = due.shift() ?? 0;
          open++;
          connection.send(request(), (reply) => {
            open--;
            if (isGood(reply)) histogram.recordValue(Math.max(1, Math.round((performance.now() - at) * 1e3)));
            else lose();
            if (reply.status !== 0) free.push(connection);
            pump();
          });
        }
      };
      const started = performance.now();
      let looked = started;
      let stall = 0;
      while (goesOn()) {
        const present = performance.now();
        stall = Math.max(stall, present - looked);
        looked = present;
        for (const now = present; started + (requests * 1e3) / rate <= now; requests++) due.push(started + (requests * 1e3) / rate);
        pump();
        await delay(1);
      }
      for (const end = performance.now() + DRAIN_MS; (open > 0 || due.length > 0) && performance.now() < end; ) await delay(5);
      for (let missing = open + due.length; missing > 0; missing--) lose();
      return { requests, bad, clientStallMs: stall, ...percentiles(histogram) };
    }),
  );
}

/**
 * Work with this process before others, where that is allowed. A client of its own machine would not wait for a core of
 * the server's; what this one waits is not the server's latency.
 */
async function withPriority<T>(work: () => Promise<T>): Promise<T> {
  const before = getPriority();
  const set = (priority: number): void => {
    try {
      setPriority(priority);
    } catch {
      // Only root may; then the waiting is part of what is measured.
    }
  };
  set(CLIENT_PRIORITY);
  try {
    return await work();
  } finally {
    set(before);
  }
}

function percentiles(histogram: Histogram): Omit<OpenResult, "requests" | "bad" | "clientStallMs"> {
  // The histogram answers with the upper end of a bucket, which may lie past the largest value.
  const at = (percentile: number): number => Math.min(histogram.getValueAtPercentile(percentile), histogram.maxValue) / 1e3;
  return { p50Ms: at(50), p99Ms: at(99), p999Ms: at(99.9), maxMs: histogram.maxValue / 1e3 };
}

/** True for so many seconds from now. */
export function forSeconds(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1e3;
  return () => performance.now() < end;
}
