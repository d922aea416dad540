/** The progress of a load on a terminal: how far, how fast, how long still, how many rows were rejected. */
import { SingleBar } from "cli-progress";
import type { LoadProgress } from "../load/load.js";
import { BAR_OPTIONS } from "./progress.js";

export interface LoadBar {
  readonly update: (progress: LoadProgress) => void;
  /** The rows are read, and the new version is written: of string ids that takes longer. */
  readonly writing: () => void;
  readonly stop: () => void;
}

/** Draws on stderr; nothing where that is no terminal. */
export function loadBar(quiet: boolean): LoadBar {
  if (quiet || !process.stderr.isTTY) return { update: () => undefined, writing: () => undefined, stop: () => undefined };
  const started = performance.now();
  const n = (value: number): string => Math.round(value).toLocaleString("en-US");
  let bar: SingleBar | undefined;
  let read = 0;
  return {
    update: ({ rows, rejected, bytes, size }) => {
      // What comes from standard input has no known end.
      bar ??= new SingleBar({
        format: `${size === undefined ? "" : "{bar} {percentage} %  "}{rows} rows  {rate} rows/s  {rejected} rejected${size === undefined ? "" : "  {eta_formatted} left"}`,
        ...BAR_OPTIONS,
        barsize: 16,
      });
      read = rows;
      const figures = { rows: n(rows), rate: n((rows * 1_000) / Math.max(1, performance.now() - started)), rejected: n(rejected) };
      if (bar.isActive) bar.update(bytes, figures);
      else bar.start(size ?? 0, bytes, figures);
    },
    writing: () => {
      bar?.stop();
      process.stderr.write(`${n(read)} rows are read, writing …\n`);
    },
    stop: () => bar?.stop(),
  };
}
