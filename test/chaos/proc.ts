/** Processes as Linux' /proc shows them. */
import { readdirSync, readFileSync } from "node:fs";

interface Info {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

export const ROLES = ["supervisor", "api", "sync", "worker"] as const;
export type Role = (typeof ROLES)[number];

/** The children of a process that run now. */
export function childrenOf(parent: number): Info[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => infoOf(Number(name)) ?? [])
    .filter((info) => info.parent === parent);
}

/** The command line, its words apart by NUL; empty for a process that is gone. */
export function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`) ?? "";
}

/** The part that a child of `popup serve` plays, by its command line; undefined for another. */
export function roleOf(command: string): Role | undefined {
  if (command.includes("api-process.js")) return "api";
  return (["sync", "worker"] as const).find((role) => command.includes(`popup.js\0${role}\0`));
}

/** Resident memory, bytes; 0 for a process that is gone. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1] ?? 0) * 1_024;
}

/** Open file descriptors; 0 for a process that is gone. */
export function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

/** False for one that has ended, also when nobody has asked for its exit code yet. */
export function isRunning(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(read(`/proc/${pid}/status`) ?? "");
}

/** Sends a signal; to a process that is gone it does nothing. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function infoOf(pid: number): Info | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const command = read(`/proc/${pid}/cmdline`);
  if (stat === undefined || command === undefined) return undefined;
  // The name in field 2 may hold blanks and parentheses.
  return { pid, parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]), command };
}

/** Undefined where the process has ended. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH";
}
