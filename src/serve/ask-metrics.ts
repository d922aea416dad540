/** The supervisor's side: asks a child process for its metrics. */
import type { ChildProcess } from "node:child_process";
import type { ApiMessage, Metrics, SupervisorMessage } from "./messages.js";

/** A process that does not answer in this time is left out of one scrape; a worker may stand at a lock for a second. */
const ANSWER_MS = 2_000;
let lastId = 0;

/** Its metrics, or undefined when it does not answer. */
export function askMetrics(child: ChildProcess): Promise<Metrics | undefined> {
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
