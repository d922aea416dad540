/** A spool in a folder of the test's own, and reports for it. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { Spool, type SpooledReport } from "../../dist/spool/spool.js";

export interface Trouble {
  readonly message: string;
  readonly details: Record<string, unknown>;
}

const MEMORY = "/dev/shm";

/** Removed at the test's teardown. @param inMemory where the system has a folder for that: for a test that opens it hundreds of times */
export function spoolFolder(t: Test, { inMemory = false }: { inMemory?: boolean } = {}): string {
  const dir = mkdtempSync(join(inMemory && existsSync(MEMORY) ? MEMORY : tmpdir(), "popup-spool-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "spool");
}

/** Opens it; closed at the test's teardown. @param troubles collects what it tells */
export async function openSpool(
  t: Test,
  root: string,
  { maxBytes = 64 * 1024 * 1024, troubles = [] }: { maxBytes?: number; troubles?: Trouble[] } = {},
): Promise<Spool> {
  const spool = await Spool.open(root, { maxBytes, onTrouble: (message, details) => troubles.push({ message, details }) });
  t.teardown(() => spool.close());
  return spool;
}

/** Reports that differ in every field; the number is in the impression id. */
export function reportNo(n: number): SpooledReport {
  const type = (["impression", "click", "dismiss"] as const)[n % 3] ?? "impression";
  return {
    type,
    campaignId: 1 + (n % 7),
    userId: `user-${n}@bank`,
    impressionId: String(n),
    sessionId: n % 2 === 0 ? null : `s-${n}`,
    at: 1_780_000_000_000 + n,
  };
}

export type Outcome = true | "full" | "failed";

export function append(spool: Spool, report: SpooledReport): Promise<Outcome> {
  return new Promise((resolve) => spool.append(report, resolve));
}

/** Appends reports of the numbers `from` to `to` - 1, all at once. */
export function appendAll(spool: Spool, from: number, to: number): Promise<Outcome[]> {
  return Promise.all(Array.from({ length: to - from }, (_, i) => append(spool, reportNo(from + i))));
}

/** Everything that is left, in the order it is handed out. */
export async function replayed(spool: Spool, most = 100): Promise<SpooledReport[]> {
  const all: SpooledReport[] = [];
  await spool.replay(most, async (batch) => void all.push(...batch));
  return all;
}

/** The numbers of reports. */
export const numbers = (reports: readonly SpooledReport[]): number[] => reports.map(({ impressionId }) => Number(impressionId));

/** `from` to `to` - 1. */
export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
