/** A view as the lines of a terminal. */
import { cut, fit } from "../text-width.js";
import type { CampaignRate, TopView } from "./view.js";

export interface FrameOptions {
  /** What is looked at, and when, as the first line says it. */
  readonly head: string;
  /** Columns and rows there are; without rows every campaign is listed. */
  readonly width: number;
  readonly height?: number;
  readonly color: boolean;
}

const NAME_WIDTH = 11;
const FIGURE_WIDTH = 14;

/** No line is wider than the terminal, and there are no more than it has rows. */
export function frameOf(view: TopView, { head, width, height = Infinity, color }: FrameOptions): string[] {
  const paint = (text: string, code: number): string => (color && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text);
  const line = (name: string, text: string, trouble = false): string =>
    `${paint(fit(name, NAME_WIDTH), DIM)} ${trouble ? paint(cut(text, width - NAME_WIDTH - 1), RED) : cut(text, width - NAME_WIDTH - 1)}`;
  const degraded = Object.entries(view.degraded_per_s);
  const { stream, worker, spool, redis, published } = view;
  const lines = [
    paint(cut(head, width), BOLD),
    "",
    line(
      "processes",
      Object.entries(view.processes)
        .map(([part, n]) => `${part} ${n}`)
        .join("   "),
      Object.values(view.processes).includes(0),
    ),
    line("decisions", `${rate(view.decisions_per_s)}   popups ${rate(view.shown_per_s)}   none ${rate(view.none_per_s)}`),
    line("latency", view.p50_ms === null ? "–" : `p50 ${ms(view.p50_ms)}   p99 ${ms(view.p99_ms)}`),
    line("degraded", degraded.length === 0 ? "none" : degraded.map(([cause, n]) => `${cause} ${rate(n)}`).join("   "), degraded.length > 0),
    line(
      "reports",
      Object.entries(view.reports_per_s)
        .map(([result, n]) => `${result} ${rate(n)}`)
        .join("   ") || "none",
    ),
    line("stream", stream === null ? "–" : `${count(stream.lag)} not read   ${count(stream.pending)} being written   oldest ${seconds(stream.oldest_s)}`),
    line("worker", worker === null ? "–" : `${rate(worker.written_per_s)} written   ${count(worker.dead)} dead`, (worker?.dead ?? 0) > 0),
    line(
      "spool",
      spool.records === 0 ? "empty" : `${count(spool.records)} reports, ${bytes(spool.bytes)}   oldest ${seconds(spool.oldest_s)}`,
      spool.records > 0,
    ),
    line(
      "Redis",
      redis.up ? `${bytes(redis.used_bytes ?? 0)} used${redis.max_bytes ? ` of ${bytes(redis.max_bytes)}` : ", no limit"}` : "does not answer",
      !redis.up,
    ),
    line(
      "published",
      `${published.version ?? "nothing"}${published.age_s === null ? "" : `   compared with the store ${seconds(published.age_s)} ago`}`,
      published.version === null,
    ),
    "",
  ];
  const alarms = view.alarms.map(({ level, what }) => paint(cut(`${level}: ${what}`, width), level === "alarm" ? RED : YELLOW));
  const room = height - lines.length - (alarms.length === 0 ? 0 : alarms.length + 1);
  return [...lines, ...campaignLines(view.campaigns, width, room, (text) => paint(text, DIM)), ...(alarms.length === 0 ? [] : ["", ...alarms])].slice(
    0,
    height,
  );
}

function campaignLines(campaigns: readonly CampaignRate[], width: number, room: number, dim: (text: string) => string): string[] {
  const idWidth = Math.max(2, ...campaigns.map(({ campaign_id: id }) => String(id).length));
  const titleWidth = Math.max(5, width - idWidth - 2 - 2 * FIGURE_WIDTH);
  const row = (id: string, title: string, now: string, all: string): string =>
    `${id.padStart(idWidth)}  ${fit(title, titleWidth)}${now.padStart(FIGURE_WIDTH)}${all.padStart(FIGURE_WIDTH)}`;
  const shown = campaigns.length < room ? campaigns : campaigns.slice(0, Math.max(0, room - 2));
  const rest = campaigns.length - shown.length;
  return [
    dim(row("id", "campaign", "impressions/s", "since start")),
    ...shown.map((one) =>
      row(String(one.campaign_id), one.title ?? "–", one.impressions_per_s.toLocaleString("en-US", { maximumFractionDigits: 1 }), count(one.impressions)),
    ),
    ...(rest > 0 ? [dim(`… and ${count(rest)} more`)] : []),
  ];
}

const [BOLD, DIM, RED, YELLOW] = [1, 2, 31, 33];
const count = (value: number): string => Math.round(value).toLocaleString("en-US");
const rate = (perSecond: number): string => `${perSecond.toLocaleString("en-US", { maximumFractionDigits: perSecond < 10 ? 1 : 0 })}/s`;
const ms = (value: number | null): string => (value === null ? "–" : `${value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 2 : 1 })} ms`);
const seconds = (value: number): string => `${value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 })} s`;

function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${(value / 1024 ** power).toLocaleString("en-US", { maximumFractionDigits: power === 0 ? 0 : 1 })} ${units[power]}`;
}
