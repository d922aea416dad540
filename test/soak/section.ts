/** The section of a soak, and its verdict. */
import type { BenchResult } from "../../dist/load-test/result.js";
import type { Samples, Series } from "./samples.js";
import { isFlat, lineThrough, type Trend, trendOf } from "./trend.js";

const MIB = 2 ** 20;
/** The last fifth may be above the second by this share, or by that much. */
const SHARE = 0.05;
const LEAST = { resident: 4 * MIB, heap: 2 * MIB, "client buffers": MIB, "open files": 2 } as const;

interface Line {
  readonly series: Series;
  readonly trend: Trend /** Undefined where growth is what it is for. */;
  readonly flat: boolean | undefined;
}

/** @param saturation requests/s of the closed loop, or undefined where the rate was given */
export function soakSection(
  saturation: number | undefined,
  fillSeconds: number,
  load: BenchResult,
  { series, data }: Pick<Samples, "series" | "data">,
): { readonly text: string; readonly flat: boolean } {
  const lines = series.map(lineOf);
  const flat = lines.every((line) => line.flat !== false) && load.errors === 0;
  const outcomes = `${load.requests.toLocaleString("en-US")} requests, ${load.errors.toLocaleString("en-US")} errors, ${load.degraded.toLocaleString("en-US")} degraded, ${load.unsent.toLocaleString("en-US")} unsent; p50 ${load.p50_ms ?? "–"} ms, p99 ${load.p99_ms ?? "–"} ms, p99.9 ${load.p999_ms ?? "–"} ms, longest ${load.max_ms ?? "–"} ms`;
  const rate = (load.rate ?? 0).toLocaleString("en-US");
  const text = [
    `${Math.round(load.duration_s)} s at ${rate} requests/s${saturation === undefined ? "" : `, half of the ${Math.round(saturation).toLocaleString("en-US")} that a closed loop of ${load.connections} connections reached right before`} (GETs to POSTs ${load.mix}, users ${load.users}), after ${fillSeconds} s of the same that are not judged, in which caches fill (SQLite's has 64 MiB): ${outcomes}.`,
    `Medians of the second and the last fifth of the time, and the slope of a line from the second fifth on, with its standard error. Flat: the line does not rise by more than twice its standard error, or the last fifth is not above the second by more than ${SHARE * 100} % or ${LEAST.resident / MIB} MiB of resident memory, ${LEAST.heap / MIB} of heap, ${LEAST["client buffers"] / MIB} of client buffers, ${LEAST["open files"]} files. Heap: what a collection of all garbage leaves.`,
    table(lines),
    dataLine(data),
    `**Verdict: ${flat ? "flat" : "not flat"}.**`,
  ].join("\n\n");
  return { text, flat };
}

function lineOf(series: Series): Line {
  const trend = trendOf(series.points);
  // Redis keeps what the customers report: its memory is judged by what an impression takes.
  const isData = series.process === "redis" && series.what === "resident";
  return { series, trend, flat: isData ? undefined : isFlat(trend, SHARE, LEAST[series.what]) };
}

function table(lines: readonly Line[]): string {
  const rows = lines.map(({ series: { process, what }, trend: { second, last, slopePerHour, slopeError }, flat }) => {
    const unit = what === "open files" ? 1 : MIB;
    const figure = (value: number): string => (value / unit).toFixed(what === "open files" ? 0 : 1);
    return [
      process,
      `${what}${unit === 1 ? "" : ", MiB"}`,
      figure(second),
      figure(last),
      `${(slopePerHour / unit).toFixed(1)} ± ${(slopeError / unit).toFixed(1)}`,
      flat === undefined ? "holds data" : flat ? "flat" : "**grows**",
    ];
  });
  return [["process", "what", "second fifth", "last fifth", "slope per hour", ""], ["---", "---", "---:", "---:", "---:", "---"], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function dataLine(data: Samples["data"]): string {
  const { slope } = lineThrough(data.slice(Math.floor(data.length / 5)).map(({ events, bytes }) => ({ s: events, value: bytes })));
  const [first, last] = [data[0], data.at(-1)];
  return `Redis' data grew from ${((first?.bytes ?? 0) / MIB).toFixed(1)} to ${((last?.bytes ?? 0) / MIB).toFixed(1)} MiB over ${((last?.events ?? 0) - (first?.events ?? 0)).toLocaleString("en-US")} counted impressions: ${Math.round(slope)} bytes each.`;
}
