/** The admin listener: metrics for Prometheus, those of several processes added up. */
import { createServer } from "node:http";
import { AggregatorRegistry } from "prom-client";
import { PopupError } from "../errors.js";
import type { Metrics } from "./messages.js";

export interface AdminServer {
  close(): Promise<void>;
}
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * @param collect the metrics of now, one list for each process
 * @throws PopupError `unavailable` when the address cannot be had
 */
export async function openAdmin({ host, port }: Address, collect: () => Promise<Metrics[]>): Promise<AdminServer> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404, { "content-type": "text/plain" }).end("only GET /metrics is here\n");
      return;
    }
    collect()
      .then(async (metrics) => {
        const text = await AggregatorRegistry.aggregate(metrics).metrics();
        response.writeHead(200, { "content-type": AggregatorRegistry.PROMETHEUS_CONTENT_TYPE }).end(text);
      })
      .catch(() => response.writeHead(500, { "content-type": "text/plain" }).end("the metrics could not be added up\n"));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new PopupError("unavailable", `the admin listener cannot have ${host}:${port}: ${error.message}`, { hint: "choose another with --admin" })),
    );
    server.listen(port, host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
