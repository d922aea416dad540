/**
 * A lock on a folder's use: a file that names its owner's process. It does not outlive its owner: one that is
 * left behind, by a kill or by the machine's end, is taken over by whoever wants it next.
 */

import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

/** The locks that this process has taken and not given up. */
const held = new Set<string>();

/**
 * Takes the lock, unless a running process has it.
 *
 * The file appears with its content in one step, so it is never seen half written. A left-over one is replaced by
 * whoever holds the lock on doing that: two who find it at the same time cannot both come to own it. (Should that one be
 * left over too, it is replaced in the same way.)
 * @returns false when it is another's
 * @throws the system's error when the folder cannot be written
 */
export function takeLock(path: string): boolean {
  const lock = resolve(path);
  // Of a name of its own: processes in different containers may have the same pid.
  const mine = `${lock}.${randomUUID()}`;
  writeFileSync(mine, ownerText(process.pid), { mode: 0o600 });
  try {
    if (!put(mine, lock) && !replace(mine, lock)) return false;
    held.add(lock);
    return true;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Gives a lock up, once: by then it may be another's. */
export function releaseLock(path: string): void {
  const lock = resolve(path);
  if (held.delete(lock)) rmSync(lock, { force: true });
}

function put(mine: string, lock: string): boolean {
  try {
    linkSync(mine, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function replace(mine: string, lock: string): boolean {
  const owner = read(lock);
  if (owner !== undefined && isRunning(owner, lock)) return false;
  const breaking = `${lock}.breaking`;
  if (!takeLock(breaking)) return false;
  try {
    // Nobody else replaces a left-over one now, and its owner cannot give it up any more.
    const still = read(lock);
    if (still === undefined) return put(mine, lock);
    if (still !== owner) return false;
    renameSync(mine, lock);
    return true;
  } finally {
    releaseLock(breaking);
  }
}

/** Undefined when it is gone. */
function read(lock: string): string | undefined {
  try {
    return readFileSync(lock, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Pids repeat, after a restart of a container even the same ones at once; with the time of its start, one does not. */
function ownerText(pid: number): string {
  return [pid, startOf(pid)?.time ?? "", bootId()].join(" ").trim();
}

function isRunning(owner: string, lock: string): boolean {
  const [pid = 0, time, boot] = [Number.parseInt(owner, 10), ...owner.split(" ").slice(1)];
  // An empty file, or one of nonsense, is what a power failure leaves of a lock.
  if (!(pid > 0)) return false;
  if (pid === process.pid) return held.has(lock);
  if (!exists(pid)) return false;
  const start = startOf(pid);
  if (start === undefined) return true;
  return !start.over && (time === undefined || (start.time === time && bootId() === boot));
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process began, in ticks since the machine's start, and whether it is over and only not yet fetched by its parent. Undefined where the system does not tell. */
function startOf(pid: number): { readonly time: string; readonly over: boolean } | undefined {
  const stat = system(`/proc/${pid}/stat`);
  // After the name, which may hold anything, in parentheses: field 3 is the state, 22 the start (proc_pid_stat(5)).
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined ? undefined : { time: fields[19] ?? "", over: fields[0] === "Z" || fields[0] === "X" };
}

function bootId(): string {
  return system("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

/** A file of Linux' own; undefined on another system. */
function system(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
