/** A closed loop by the benchmark's own client, for a fixed number of requests. */
import { Connection, type Reply } from "./http-client.js";
import { CONNECTIONS } from "./wrk.js";

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
