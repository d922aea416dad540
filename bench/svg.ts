/** A figure of panels side by side, with logarithmic axes, as one self-contained SVG. No library: a page of text is enough. */

export interface Series {
  readonly name: string;
  readonly color: string;
  readonly dashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

const PANEL_WIDTH = 470;
const HEIGHT = 345;
/** Around the plot of a panel: for titles, tick labels and axis labels. */
const MARGIN = { left: 64, right: 16, top: 80, bottom: 54 };
/** About the width of a letter. */
const LETTER = 6;
const FONT = 'font-family="system-ui, sans-serif"';

export function renderSvg(title: string, panels: readonly Panel[]): string {
  const width = PANEL_WIDTH * panels.length;
  const parts = panels.map((panel, i) => `<g transform="translate(${i * PANEL_WIDTH} 0)">\n${renderPanel(panel)}\n</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img" ${FONT} font-size="12" fill="#1f2328">
<title>${escaped(title)}</title>
<rect width="${width}" height="${HEIGHT}" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

function renderPanel({ title, xLabel, yLabel, series }: Panel): string {
  const x = logAxis(
    series.flatMap(({ points }) => points.map(([value]) => value)),
    MARGIN.left,
    PANEL_WIDTH - MARGIN.right,
  );
  const y = logAxis(
    series.flatMap(({ points }) => points.map(([, value]) => value)),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const [left, right, top, bottom] = [MARGIN.left, PANEL_WIDTH - MARGIN.right, MARGIN.top, HEIGHT - MARGIN.bottom];
  const middle = (left + right) / 2;
  return [
    text(left, 20, title, 'font-size="14" font-weight="600"'),
    ...x.ticks.flatMap((tick) => [line(x.at(tick), top, x.at(tick), bottom, "#eaeef2"), text(x.at(tick), bottom + 17, short(tick), 'text-anchor="middle"')]),
    ...y.ticks.flatMap((tick) => [line(left, y.at(tick), right, y.at(tick), "#eaeef2"), text(left - 7, y.at(tick) + 4, short(tick), 'text-anchor="end"')]),
    line(left, bottom, right, bottom, "#8c959f"),
    line(left, top, left, bottom, "#8c959f"),
    text(middle, HEIGHT - 14, xLabel, 'text-anchor="middle"'),
    text(16, (top + bottom) / 2, yLabel, `text-anchor="middle" transform="rotate(-90 16 ${(top + bottom) / 2})"`),
    ...series.map((one) => curve(one, x.at, y.at)),
    ...legend(series, left),
  ].join("\n");
}

interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** An axis over whole powers of ten that hold all values; `from` and `to` are its ends in pixels. */
export function logAxis(values: readonly number[], from: number, to: number): Axis {
  const positive = values.filter((value) => value > 0);
  // A millionth of slack: 1,000 is the end of its decade, whatever the logarithm of it is in floating point.
  const low = Math.floor(Math.log10(Math.min(...positive)) + 1e-6);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive)) - 1e-6));
  return {
    at: (value) => round(from + ((Math.log10(value) - low) / (high - low)) * (to - from)),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
  };
}

function curve({ color, dashed, points }: Series, x: (value: number) => number, y: (value: number) => number): string {
  const path = points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${x(px)} ${y(py)}`).join(" ");
  const dots = dashed ? [] : points.map(([px, py]) => `<circle cx="${x(px)}" cy="${y(py)}" r="3" fill="${color}"/>`);
  return [`<path d="${path}" fill="none" stroke="${color}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ""}/>`, ...dots].join("\n");
}

/** Under the title, each name after a piece of its line; on to a second row where the first is full. */
function legend(series: readonly Series[], left: number): string[] {
  let [x, y] = [left, 40];
  return series.flatMap(({ name, color, dashed }) => {
    const width = 40 + name.length * LETTER;
    if (x + width > PANEL_WIDTH) [x, y] = [left, y + 18];
    const start = x;
    x += width;
    return [
      `<line x1="${start}" y1="${y}" x2="${start + 20}" y2="${y}" stroke="${color}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ""}/>`,
      text(start + 25, y + 4, name, ""),
    ];
  });
}

const line = (x1: number, y1: number, x2: number, y2: number, color: string): string => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${color}"/>`;
const text = (x: number, y: number, content: string, attributes: string): string => `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
const escaped = (content: string): string => content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const round = (value: number): number => Math.round(value * 10) / 10;

/** `10`, `10k`, `10M`. */
function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(Number(value.toPrecision(3)));
}
