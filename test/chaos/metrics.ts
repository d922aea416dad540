/** The engine's own figures, from its admin listener. */

const PATIENCE_MS = 2_000;

/** The sum of a metric over its labels, or undefined where there is no such metric. @param label only those that have this text among their labels */
export async function readMetric(adminUrl: string, name: string, label = ""): Promise<number | undefined> {
  const text = await (await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(PATIENCE_MS) })).text();
  const lines = text.split("\n").filter((line) => line.startsWith(`${name} `) || (line.startsWith(`${name}{`) && line.includes(label)));
  return lines.length === 0 ? undefined : lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** Decisions that took more than 50 ms, as the engine's histogram has them. */
export async function readLateDecisions(adminUrl: string): Promise<number | undefined> {
  const [all, inTime] = [await readMetric(adminUrl, "popup_decision_seconds_count"), await readMetric(adminUrl, "popup_decision_seconds_bucket", 'le="0.05"')];
  return all === undefined || inTime === undefined ? undefined : all - inTime;
}
