/** The admin listener: metrics of all API processes together, for Prometheus. */
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from "prom-client";
import { PopupError } from "../errors.js";
import type { ApiMessage, SupervisorMessage } from "./messages.js";

export interface AdminServer { close(): Promise<void> }
type Metrics = MetricObjectWithValues<MetricValue<string>>[];

/** A process that does not answer in this time is left out of one scrape. */
const ANSWER_MS = 1_000;
let lastId = 0;

/** @throws PopupError `unavailable` when the address cannot be had */
export async function openAdmin({ host, port }: { host: string; port: number }, processes: () => readonly ChildProcess[]): Promise<AdminServer> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404, { "content-type": "text/plain" }).end("only GET /metrics is here\n");
      return;
    }
    collect(processes()).then(
      async (metrics) => {
        const text = await AggregatorRegistry.aggregate(metrics).metrics();
        response.writeHead(200, { "content-type": AggregatorRegistry.PROMETHEUS_CONTENT_TYPE }).end(text);
      },
    ).catch(() => response.writeHead(500, { "content-type": "text/plain" }).end("the metrics could not be added up\n"));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new PopupError("unavailable", `the admin listener cannot have ${host}:${port}: ${error.message}`, { hint: "choose another with --admin" })));
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

async function collect(processes: readonly ChildProcess[]): Promise<Metrics[]> {
  const answers = await Promise.all(processes.map(askMetrics));
  return answers.filter((metrics) => metrics !== undefined);
}

function askMetrics(child: ChildProcess): Promise<Metrics | undefined> {
  const id = ++lastId;
  return new Promise((resolve) => {
    const done = (metrics: Metrics | undefined): void => {
      clearTimeout(timer);
      child.off("message", onMessage);
      resolve(metrics);
    };
    const onMessage = (message: ApiMessage): void => {
      if (message.kind === "metrics" && message.id === id) done(message.metrics);
    };
    const timer = setTimeout(() => done(undefined), ANSWER_MS);
    child.on("message", onMessage);
    // A process that has just ended cannot be asked; its successor will be next time.
    child.send({ ask: "metrics", id } satisfies SupervisorMessage, (error) => {
      if (error) done(undefined);
    });
  });
}
