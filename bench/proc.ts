/** CPU time of a process, from Linux' /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Nanoseconds on a CPU of one task: the first field of its schedstat. @throws Error for a text of another form */
export function parseSchedstat(text: string): number {
  const ns = Number(/^(\d+) \d+ \d+\s*$/.exec(text)?.[1]);
  if (!Number.isFinite(ns)) throw new Error(`not a schedstat: ${JSON.stringify(text)}`);
  return ns;
}

export interface Ticks {
  readonly own: number;
  readonly children: number;
}

/**
 * User and system clock ticks of a process (fields 14 and 15 of its stat) and of its children that have ended (16 and 17).
 * The name in field 2 may hold blanks and parentheses.
 */
export function parseStatTicks(text: string): Ticks {
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [user = Number.NaN, system = Number.NaN, childUser = Number.NaN, childSystem = Number.NaN] = fields.slice(11, 15);
  const ticks = { own: user + system, children: childUser + childSystem };
  if (!Number.isFinite(ticks.own + ticks.children)) throw new Error(`not a stat: ${JSON.stringify(text)}`);
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
    if (text === undefined) return parseStatTicks(readFileSync(`/proc/${pid}/stat`, "utf8")).own * NS_PER_TICK;
    ns += parseSchedstat(text);
  }
  return ns;
}

/** CPU time of this process' children that have ended, ns, to the tick. */
export function endedChildrenNs(): number {
  return parseStatTicks(readFileSync("/proc/self/stat", "utf8")).children * NS_PER_TICK;
}

/** All cores together since boot, ns, to the tick: not idle, and in all. What a hypervisor took counts as busy. */
export function machineNs(): { readonly busy: number; readonly total: number } {
  const { busy, total } = parseCpuLine(readFileSync("/proc/stat", "utf8"));
  return { busy: busy * NS_PER_TICK, total: total * NS_PER_TICK };
}

/** Ticks, from the first line of /proc/stat. */
export function parseCpuLine(stat: string): { readonly busy: number; readonly total: number } {
  const fields = (/^cpu +([\d ]+)$/m.exec(stat)?.[1] ?? "").split(" ").slice(0, 8).map(Number);
  const total = fields.reduce((sum, n) => sum + n, 0);
  const [, , , idle = 0, iowait = 0] = fields;
  return { busy: total - idle - iowait, total };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
