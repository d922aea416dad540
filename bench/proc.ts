/** CPU time of a process, from Linux' /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Nanoseconds on a CPU of one task: the first field of its schedstat. @throws Error for a text of another form */
export function parseSchedstat(text: string): number {
  const ns = Number(/^(\d+) \d+ \d+\s*$/.exec(text)?.[1]);
  if (!Number.isFinite(ns)) throw new Error(`not a schedstat: ${JSON.stringify(text)}`);
  return ns;
}

/** User and system clock ticks of a process: fields 14 and 15 of its stat. The name in field 2 may hold blanks and parentheses. */
export function parseStatTicks(text: string): number {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`not a stat: ${JSON.stringify(text)}`);
  return ticks;
}

/** Linux' USER_HZ, the same on every architecture that Node runs on. */
const NS_PER_TICK = 10_000_000;

/**
 * CPU time that all threads of a process have taken so far, ns. To the nanosecond where the kernel
 * keeps schedstat, otherwise to the tick of 10 ms.
 */
export function cpuNs(pid: number): number {
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const text = read(`/proc/${pid}/task/${task}/schedstat`);
    if (text === undefined) return parseStatTicks(readFileSync(`/proc/${pid}/stat`, "utf8")) * NS_PER_TICK;
    ns += parseSchedstat(text);
  }
  return ns;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
