/** Metrics of one process: answered to its supervisor, or served on a listener of its own when it runs apart. */
import type { Registry } from "prom-client";
import { type Address, type AdminServer, openAdmin } from "./admin.js";
import { answerMetrics } from "./answer-metrics.js";

/**
 * @param admin where to serve them, or null for nowhere
 * @throws PopupError `unavailable` when the address cannot be had
 */
export async function offerMetrics(registry: Registry, admin: Address | null): Promise<AdminServer> {
  answerMetrics(registry);
  if (admin === null) return { close: async () => undefined };
  return openAdmin(admin, async () => [await registry.getMetricsAsJSON()]);
}
