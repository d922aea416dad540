/** The child's side of the supervisor's question for metrics: any process that it has forked answers with its registry. */
import type { Registry } from "prom-client";
import type { ApiMessage, SupervisorMessage } from "./messages.js";

/** Answers from now on; does nothing in a process that has no supervisor. */
export function answerMetrics(registry: Registry): void {
  if (!process.send) return;
  process.on("message", (message: SupervisorMessage) => {
    if (message.ask !== "metrics") return;
    void registry.getMetricsAsJSON().then((metrics) => {
      // The supervisor may be gone by now; then nobody asks any more.
      if (process.connected) process.send?.({ kind: "metrics", id: message.id, metrics } satisfies ApiMessage);
    });
  });
}
