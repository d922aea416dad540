/** Line charts as inline SVG: axes with units, a grid, a legend, and a tooltip by `<title>`; no script. */
import { type Markup, markup } from "./markup.js";
import type { Scale } from "./scale.js";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  /** A class of the page's style, which has its colour. */
  readonly color: string;
  readonly points: readonly Point[];
  readonly filled?: boolean;
}

export interface Chart {
  readonly title: string;
  /** What is to be seen, for readers that do not see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** A level to compare with. */
  readonly mark?: { readonly y: number; readonly name: string };
  /** Places with a tooltip. */
  readonly notes: readonly { readonly x: number; readonly text: string }[];
}

export interface Axis {
  readonly name: string;
  readonly scale: Scale;
  readonly label: (value: number) => string;
}

interface Size {
  readonly className: string;
  readonly width: number;
  readonly height: number;
}

// Drawn twice and shown once: a chart that is scaled down to a phone cannot be read.
const SIZES: readonly Size[] = [
  { className: "wide", width: 920, height: 310 },
  { className: "narrow", width: 380, height: 270 },
];
const MARGIN = { top: 28, right: 28, bottom: 46, left: 56 };
/** Labels below the chart that are nearer to each other than this would touch. */
const LABEL_WIDTH = 44;

export function chartOf(chart: Chart): Markup {
  const legend =
    chart.series.length < 2 ? "" : markup`<p class="legend">${chart.series.map(({ name, color }) => markup`<span class="${color}"><i></i>${name}</span>`)}</p>`;
  return markup`<figure><figcaption>${chart.title}</figcaption>${legend}${SIZES.map((size) => drawing(chart, size))}</figure>`;
}

function drawing(chart: Chart, { className, width, height }: Size): Markup {
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const px = (x: number): number => round(MARGIN.left + chart.x.scale.place(x) * (right - MARGIN.left));
  const py = (y: number): number => round(bottom - Math.min(1, Math.max(0, chart.y.scale.place(y))) * (bottom - MARGIN.top));
  const across = chart.y.scale.ticks.map(
    (tick) =>
      markup`<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${py(tick)}" y2="${py(tick)}"/><text class="tick" x="${MARGIN.left - 8}" y="${py(tick) + 4}" text-anchor="end">${chart.y.label(tick)}</text>`,
  );
  const along = apart(chart.x.scale.ticks, px).map(
    (tick) =>
      markup`<line class="stub" x1="${px(tick)}" x2="${px(tick)}" y1="${bottom}" y2="${bottom + 4}"/><text class="tick" x="${px(tick)}" y="${bottom + 18}" text-anchor="middle">${chart.x.label(tick)}</text>`,
  );
  const names = markup`<text class="axis" x="${right}" y="${height - 6}" text-anchor="end">${chart.x.name}</text><text class="axis" x="4" y="13">${chart.y.name}</text>`;
  const level =
    chart.mark === undefined
      ? ""
      : markup`<line class="mark" x1="${MARGIN.left}" x2="${right}" y1="${py(chart.mark.y)}" y2="${py(chart.mark.y)}"/><text class="tick" x="${right}" y="${py(chart.mark.y) - 5}" text-anchor="end">${chart.mark.name}</text>`;
  const lines = chart.series
    .filter(({ points }) => points.length > 0)
    .map(({ points, color, filled }) => {
      const path = points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${px(x)} ${py(y)}`).join("");
      const [first, last] = [points[0], points.at(-1)];
      const area = filled === true && first && last ? markup`<path class="area ${color}" d="${path}L${px(last.x)} ${bottom}L${px(first.x)} ${bottom}Z"/>` : "";
      // A single second is no line.
      const dot = points.length === 1 && first ? markup`<circle class="dot ${color}" cx="${px(first.x)}" cy="${py(first.y)}" r="4"/>` : "";
      return markup`${area}<path class="line ${color}" d="${path}"/>${dot}`;
    });
  const notes = chart.notes.map(({ x, text }, index) => {
    const from = index === 0 ? MARGIN.left : (px(chart.notes[index - 1]?.x ?? x) + px(x)) / 2;
    const to = index === chart.notes.length - 1 ? right : (px(x) + px(chart.notes[index + 1]?.x ?? x)) / 2;
    return markup`<rect class="note" x="${round(from)}" y="${MARGIN.top}" width="${round(Math.max(0, to - from))}" height="${bottom - MARGIN.top}"><title>${text}</title></rect>`;
  });
  return markup`<svg class="${className}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${chart.description}">${across}<line class="base" x1="${MARGIN.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>${along}${names}${lines}${level}${notes}</svg>`;
}

/** The ticks whose labels have room, from the left. */
function apart(ticks: readonly number[], px: (tick: number) => number): number[] {
  const kept: number[] = [];
  for (const tick of ticks) {
    const before = kept.at(-1);
    if (before === undefined || px(tick) - px(before) >= LABEL_WIDTH) kept.push(tick);
  }
  return kept;
}

const round = (value: number): number => Math.round(value * 10) / 10;
