/** What the figures were taken on and with. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, type as systemName, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PACKAGE_ROOT, VERSION } from "../dist/version.js";
import { machineNs } from "./proc.js";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** Of each program, in the order in which to print them. */
  readonly versions: Readonly<Record<string, string>>;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${systemName()} ${release()}`,
    versions: {
      "popup-engine": `${VERSION} (${commit()})`,
      node: process.versions.node,
      redis: /v=([\d.]+)/.exec(output("redis-server", ["--version"]))?.[1] ?? "unknown",
      "uWebSockets.js": packageVersion("uWebSockets.js"),
      ioredis: packageVersion("ioredis"),
      "better-sqlite3": packageVersion("better-sqlite3"),
      // It prints its version with its usage, and exits with 1.
      wrk: /wrk (\S+)/.exec(output("sh", ["-c", "wrk --version 2>&1 || true"]))?.[1] ?? "unknown",
    },
  };
}

function packageVersion(name: string): string {
  return (JSON.parse(readFileSync(join(PACKAGE_ROOT, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;
}

/** The commit, and whether what is measured, or with, differs from it. */
function commit(): string {
  const id = output("git", ["rev-parse", "--short", "HEAD"]).trim();
  if (id === "") return "not a git checkout";
  return output("git", ["status", "--porcelain", "--", "src", "lua", "bench", "package-lock.json", ":!bench/RESULTS.md", ":!bench/*.svg"]).trim() === ""
    ? id
    : `${id}, with changes`;
}

function output(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, [...args], { cwd: PACKAGE_ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

/** Share of the cores that is busy during the next `ms`, in percent: before a case begins, that is others' work. */
export async function busyPercent(ms: number): Promise<number> {
  const before = machineNs();
  await delay(ms);
  const after = machineNs();
  return (100 * (after.busy - before.busy)) / Math.max(1, after.total - before.total);
}
