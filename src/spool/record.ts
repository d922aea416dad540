/**
 * The spool's line: the CRC-32 of the JSON as 8 hex digits, a blank, the JSON, a line end. JSON has no line end
 * of its own, so the next line is found behind whatever became of this one.
 */
import { crc32 } from "node:zlib";
import { EVENT_TYPES, type EventType } from "../event.js";

/** What was reported while it could not be counted. */
export interface SpooledReport {
  readonly type: EventType;
  readonly campaignId: number;
  readonly userId: string;
  readonly impressionId: string;
  readonly sessionId: string | null;
  /** Epoch ms. */
  readonly at: number;
}

/** A report with the time at which it was accepted, epoch ms. Field by field, because there is one of every report and V8 takes ten times as long for a spread. */
export function acceptedAt({ type, campaignId, userId, impressionId, sessionId }: Omit<SpooledReport, "at">, at: number): SpooledReport {
  return { type, campaignId, userId, impressionId, sessionId, at };
}

/** A line end included. What is longer is no record; one of ids at their bounds has some 350 bytes. */
export const MAX_LINE_BYTES = 4_096;
const DIGITS = 8;
const BLANK = 0x20;
const BRACE = 0x7b;

/** The line of any JSON value. */
export function lineOf(value: object): string {
  const json = JSON.stringify(value);
  return `${sumOf(json)} ${json}\n`;
}

function sumOf(json: string | Buffer): string {
  return crc32(json).toString(16).padStart(DIGITS, "0");
}

/** The value of a line without its end; undefined when it is not what was written. */
export function valueOf(line: Buffer): unknown {
  const json = line.subarray(DIGITS + 1);
  if (!beginsAt(line, 0) || line.toString("latin1", 0, DIGITS) !== sumOf(json)) return undefined;
  try {
    return JSON.parse(json.toString());
  } catch {
    // The sum is right and the text is none of ours: as good as damaged.
    return undefined;
  }
}

/** The report of a line without its end; undefined when it is damaged. */
export function reportOf(line: Buffer): SpooledReport | undefined {
  const value = valueOf(line) as Partial<Record<keyof SpooledReport, unknown>> | null | undefined;
  if (typeof value !== "object" || value === null) return undefined;
  const { type, campaignId, userId, impressionId, sessionId, at } = value;
  const right =
    EVENT_TYPES.some((known) => known === type) &&
    Number.isSafeInteger(campaignId) &&
    typeof userId === "string" &&
    typeof impressionId === "string" &&
    (sessionId === null || typeof sessionId === "string") &&
    Number.isSafeInteger(at);
  return right ? ({ type, campaignId, userId, impressionId, sessionId, at } as SpooledReport) : undefined;
}

/**
 * A damaged line, cut where records seem to begin: a line end that was damaged itself has joined two.
 * @returns from where to where in the line, in order, without gaps but for the bytes that were line ends
 */
export function partsOf(line: Buffer): { readonly from: number; readonly to: number }[] {
  const begins = [0];
  for (let i = 1; i < line.length - DIGITS; i++) if (beginsAt(line, i)) begins.push(i);
  return begins.map((from, n) => ({ from, to: (begins[n + 1] ?? line.length + 1) - 1 }));
}

function beginsAt(line: Buffer, at: number): boolean {
  return line[at + DIGITS] === BLANK && line[at + DIGITS + 1] === BRACE;
}
