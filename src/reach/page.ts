/** A simulation as one HTML page that needs nothing but itself: for each day, whom each campaign reaches and who is shown it first. */
import { Markup, markup } from "../html/markup.js";
import { BARS, STYLE } from "../html/style.js";
import { formatTime } from "../time.js";
import type { SimulatedCampaign, Simulation } from "./simulate.js";

const n = (value: number): string => value.toLocaleString("en-US");

export function simulationPage(simulations: readonly Simulation[], timezone: string, version: string): string {
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Who would be shown what</title><style>${new Markup(STYLE + BARS)}</style></head>
<body><main>
<h1>Who would be shown what</h1>
<p class="lead">What customers who have seen nothing yet are shown first. Pale: users whom a campaign means; full: those who are shown it, because no campaign before it means them.</p>
${simulations.map((one) => dayOf(one, timezone))}
<footer>Made by popup simulate ${version}. Times are in ${timezone}.</footer>
</main></body></html>
`;
  return page.text;
}

function dayOf({ at, users, none, campaigns }: Simulation, timezone: string): Markup {
  const most = Math.max(1, none, ...campaigns.map(({ reach }) => reach));
  const starved = campaigns.filter((one) => one.starved).length;
  const tile = (name: string, value: string, trouble = false): Markup =>
    markup`<div${new Markup(trouble ? ' class="trouble"' : "")}><dt>${name}</dt><dd>${value}</dd></div>`;
  return markup`<h2>${formatTime(at, timezone).slice(0, 16).replace("T", " ")}</h2>
<dl class="tiles">${[tile("users in audiences", n(users)), tile("shown none", n(none)), tile("campaigns", n(campaigns.length)), tile("starved", n(starved), starved > 0)]}</dl>
<div class="bars" style="margin-top:12px">${campaigns.map((one) => barOf(one, most))}${markup`<div class="bar"><span class="name">none</span><span class="track"><i style="width:${percent(none, most)}%"></i></span><span class="figures">${n(none)}</span></div>`}</div>`;
}

function barOf(one: SimulatedCampaign, most: number): Markup {
  const remark = one.starved
    ? markup`<span class="starved">starved${one.starved_by === null ? "" : ` by ${one.starved_by}`}</span>`
    : one.shown_to_others
      ? markup`<small>and everybody in no audience</small>`
      : "";
  return markup`<div class="bar"><span class="name">${one.campaign_id} ${one.title} <small>priority ${one.priority}</small></span>
<span class="track" role="img" aria-label="${n(one.reach)} users are meant, ${n(one.first)} are shown it first"><i class="meant" style="width:${percent(one.reach, most)}%"></i><i style="width:${percent(one.first, most)}%"></i></span>
<span class="figures">${n(one.first)} <small>of ${n(one.reach)}</small> ${remark}</span></div>`;
}

const percent = (part: number, whole: number): string => ((100 * part) / whole).toFixed(2);
