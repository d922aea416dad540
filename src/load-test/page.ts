/** A result as one HTML page that needs nothing but itself. */

import { type Chart, chartOf } from "../html/chart.js";
import { Markup, markup } from "../html/markup.js";
import { linear, logarithmic } from "../html/scale.js";
import { STYLE } from "../html/style.js";
import { tableOf } from "../html/table.js";
import type { CurvePoint } from "./latency.js";
import type { Kind } from "./outcome.js";
import { type BenchResult, nameOfRate, type ResultSecond } from "./result.js";
import { FIGURES_HEAD, figureRows, msText, OUTCOMES_HEAD, outcomeRows } from "./tables.js";

export interface Page {
  readonly result: BenchResult;
  /** The distribution of latencies by kind. */
  readonly curves: Record<Kind, readonly CurvePoint[]>;
  /** The assertions as written, and what is said of those that failed. */
  readonly assertions: readonly string[];
  readonly failures: readonly string[];
}

export function pageOf({ result, curves, assertions, failures }: Page): string {
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Load test of ${result.url}</title><style>${new Markup(STYLE)}</style></head>
<body><main>
<h1>Popup Engine under load</h1>
<p class="lead">${result.url}, ${result.started.slice(0, 16).replace("T", " ")} UTC, ${number(result.requests)} requests in ${result.duration_s.toFixed(1)} s${result.complete ? "" : " (stopped before its end)"}</p>
${tiles(result)}
${result.remarks.map((remark) => markup`<p class="remark">${remark}</p>`)}
${assertions.length === 0 ? "" : checks(assertions, failures)}
<h2>Latency</h2>
${chartOf(latencyChart(curves))}
${chartOf(slowestChart(result))}
<h2>Rate</h2>
${chartOf(rateChart(result))}
<h2>By kind of request</h2>
${tableOf(FIGURES_HEAD, figureRows(result))}
<h2>What came of the requests</h2>
${tableOf(OUTCOMES_HEAD, outcomeRows(result))}
<h2>Conditions</h2>
${conditions(result)}
<footer>Made by popup bench ${result.version}.</footer>
</main></body></html>
`;
  return page.text;
}

function tiles(result: BenchResult): Markup {
  const tile = (name: string, value: string, unit = "", trouble = false): Markup =>
    markup`<div${new Markup(trouble ? ' class="trouble"' : "")}><dt>${name}</dt><dd>${value}${unit === "" ? "" : markup` <small>${unit}</small>`}</dd></div>`;
  return markup`<dl class="tiles">${[
    tile("2xx answers", number(Math.round(result.rps)), "/s"),
    tile("p50", msText(result.p50_ms), "ms"),
    tile("p99", msText(result.p99_ms), "ms"),
    tile("p99.9", msText(result.p999_ms), "ms"),
    tile("errors", number(result.errors), "", result.errors > 0),
    tile("degraded", number(result.degraded), "", result.degraded > 0),
  ]}</dl>`;
}

function checks(assertions: readonly string[], failures: readonly string[]): Markup {
  return markup`<ul class="checks">${assertions.map((text) => {
    const failure = failures.find((failed) => failed.startsWith(`${text}: `));
    return failure === undefined ? markup`<li class="held"><b>✓ held</b> ${text}</li>` : markup`<li class="failed"><b>✗ failed</b> ${failure}</li>`;
  })}</ul>`;
}

function latencyChart(curves: Page["curves"]): Chart {
  const all = [...curves.get, ...curves.post];
  const values = all.map(({ ms }) => Math.max(ms, 0.01));
  const most = Math.max(1, ...all.map(({ nines }) => nines));
  const marks = [0, Math.log10(2), 1, 2, 3, 4, 5, 6, 7].filter((nines) => nines <= most);
  const share = (nines: number): string => `${nines < 1 ? Math.round(100 * (1 - 10 ** -nines)) : (100 * (1 - 10 ** -nines)).toFixed(Math.max(0, nines - 2))} %`;
  const series = (["get", "post"] as const)
    .filter((kind) => curves[kind].length > 0)
    .map((kind) => ({ name: kind.toUpperCase(), color: kind, points: curves[kind].map(({ nines, ms }) => ({ x: nines, y: ms })) }));
  const at = (kind: Kind, nines: number): string => msText(curves[kind].find((point) => point.nines >= nines - 1e-9)?.ms ?? null);
  return {
    title: "How long requests took",
    description: "Latency in milliseconds by percentile of the requests, for GET and POST",
    x: { name: "share of requests that took no longer", scale: { place: (nines) => nines / most, ticks: marks }, label: share },
    y: { name: "latency, ms", scale: logarithmic(Math.min(1, ...values), Math.max(...values, 0.1)), label: plain },
    series,
    notes: marks.map((nines) => ({ x: nines, text: `${share(nines)}: ${series.map(({ name, color }) => `${name} ${at(color, nines)} ms`).join(", ")}` })),
  };
}

function slowestChart({ per_second: seconds }: BenchResult): Chart {
  const { groups, size } = grouped(seconds);
  const points = groups.flatMap((group) => {
    const values = group.flatMap(({ p99_ms: ms }) => ms ?? []);
    return values.length === 0 ? [] : [{ x: group[0]?.second ?? 0, y: Math.max(...values) }];
  });
  return {
    title: size === 1 ? "p99 in each second" : `Highest p99 of a second, in every ${size} seconds`,
    description: "The 99th percentile of latency in milliseconds over the time of the run",
    x: secondsAxis(groups),
    y: { name: "p99, ms", scale: linear(Math.max(0, ...points.map(({ y }) => y)), 5), label: plain },
    series: [{ name: "p99", color: "all", points }],
    notes: points.map(({ x, y }) => ({ x, text: `second ${x}: p99 ${msText(y)} ms` })),
  };
}

function rateChart({ per_second: seconds, rate }: BenchResult): Chart {
  const { groups, size } = grouped(seconds);
  const points = groups.map((group) => ({
    x: group[0]?.second ?? 0,
    y: group.reduce((sum, { requests }) => sum + requests, 0) / group.length,
    errors: group.reduce((sum, { errors }) => sum + errors, 0),
  }));
  return {
    title: size === 1 ? "Requests that ended in each second" : `Requests that ended per second, mean of every ${size} seconds`,
    description: "Requests per second over the time of the run",
    x: secondsAxis(groups),
    y: { name: "requests / s", scale: linear(Math.max(rate ?? 0, ...points.map(({ y }) => y)), 5), label: number },
    series: [{ name: "requests", color: "all", filled: true, points }],
    ...(rate === null ? {} : { mark: { y: rate, name: `asked: ${number(rate)} /s` } }),
    notes: points.map(({ x, y, errors }) => ({ x, text: `second ${x}: ${number(Math.round(y))} requests/s, ${number(errors)} errors` })),
  };
}

/** More points than this are no more to be seen, only a larger page. */
const MOST_POINTS = 300;

/** Neighbouring seconds together, in a run that has more than can be drawn. */
function grouped(seconds: BenchResult["per_second"]): { groups: ResultSecond[][]; size: number } {
  const size = Math.max(1, Math.ceil(seconds.length / MOST_POINTS));
  return { size, groups: Array.from({ length: Math.ceil(seconds.length / size) }, (_, n) => seconds.slice(n * size, (n + 1) * size)) };
}

function secondsAxis(groups: readonly ResultSecond[][]): Chart["x"] {
  const last = groups.at(-1)?.[0]?.second ?? 1;
  const ticks = linear(last, 10).ticks.filter((tick) => Number.isInteger(tick) && tick >= 1 && tick <= last);
  return {
    name: "second of the run",
    scale: { place: (second) => (last === 1 ? 0.5 : (second - 1) / (last - 1)), ticks: ticks[0] === 1 ? ticks : [1, ...ticks] },
    label: plain,
  };
}

function conditions(result: BenchResult): Markup {
  const rows: [string, string][] = [
    ["engine", result.url],
    ["load from", `${result.machine}; Node ${result.node}`],
    ["measured", `${result.duration_s.toFixed(1)} s after ${result.warmup.duration_s} s of warm-up (${number(result.warmup.requests)} requests, not counted)`],
    ["connections", number(result.connections)],
    ["loop", nameOfRate(result.rate)],
    [
      "mix",
      `${result.mix} asked, GETs to POSTs; ${number(result.get.requests)} GETs and ${number(result.post.requests)} POSTs sent; ${number(result.replaced_posts)} POSTs were GETs because no popup waited for its report`,
    ],
    ["users", `${result.users}, seed ${result.seed}`],
    ["load processes", `${result.generator.processes}, at ${result.generator.cpu.map((cpu) => `${Math.round(cpu * 100)} %`).join(", ")} of a core`],
  ];
  return markup`<div class="table conditions"><table><tbody>${rows.map(([name, value]) => markup`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table></div>`;
}

const number = (value: number): string => value.toLocaleString("en-US");
const plain = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 3 });
