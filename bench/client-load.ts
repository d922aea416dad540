/** A closed loop by the benchmark's own client, for a fixed number of requests. */
import { Connection, type Reply } from "./http-client.js";
import { CONNECTIONS } from "./wrk.js";

const isGood = ({ status, degraded }: Reply): boolean => !degraded && (status === 200 || status === 202 || status === 204);

/**
 * Each connection asks again as soon as it has its answer.
 * @param next the next request, or undefined at the end
 * @returns answers that were not wanted, or did not come
 */
export async function closedLoop(url: string, next: () => string | undefined): Promise<number> {
  let bad = 0;
  const ask = (connection: Connection, done: () => void): void => {
    const request = next();
    if (request === undefined) return done();
    connection.send(request, (reply) => {
      if (!isGood(reply)) bad++;
      // A connection that broke does not come back; its share is left to the others.
      if (reply.status === 0) done();
      else ask(connection, done);
    });
  };
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(url));
  try {
    await Promise.all(connections.map((connection) => new Promise<void>((resolve) => ask(connection, resolve))));
  } finally {
    for (const connection of connections) connection.close();
  }
  return bad;
}
