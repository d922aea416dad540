/** The progress of a load on a terminal: how far, how fast, how long still, how many rows were rejected. */
import { SingleBar } from "cli-progress";
import type { LoadProgress } from "../load/load.js";

export interface LoadBar {
  readonly update: (progress: LoadProgress) => void;
  readonly stop: () => void;
}

/** Draws on stderr; nothing where that is no terminal. */
export function loadBar(quiet: boolean): LoadBar {
  if (quiet || !process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const started = performance.now();
  let bar: SingleBar | undefined;
  return {
    update: ({ rows, rejected, bytes, size }) => {
      // What comes from standard input has no known end.
      bar ??= new SingleBar({
        format: `${size === undefined ? "" : "{bar} {percentage} %  "}{rows} rows  {rate} rows/s  {rejected} rejected${size === undefined ? "" : "  {eta_formatted} left"}`,
        stream: process.stderr, hideCursor: true, barsize: 16, clearOnComplete: true, linewrap: false,
      });
      const n = (value: number): string => Math.round(value).toLocaleString("en-US");
      const figures = { rows: n(rows), rate: n((rows * 1_000) / Math.max(1, performance.now() - started)), rejected: n(rejected) };
      if (bar.isActive) bar.update(bytes, figures);
      else bar.start(size ?? 0, bytes, figures);
    },
    stop: () => bar?.stop(),
  };
}
