/** A report's figures in words, for the terminal and the page. */
import type { CampaignReport, Share } from "./report.js";

export const number = (value: number): string => value.toLocaleString("en-US");
/** `12.5 %`; a dash for a part of nothing. */
export const percent = (share: number | null): string => (share === null ? "–" : `${(share * 100).toFixed(1)} %`);

/** Whom the target means: so many, everyone, or everyone but some; a dash where the campaign is gone. */
export function reachText({ reach, everyone_but: but }: CampaignReport): string {
  if (reach !== null) return number(reach);
  return but === null ? "–" : but === 0 ? "everyone" : `all but ${number(but)}`;
}

/** `3`, `4–5`, `101 or more`. */
export function shareText({ from, to }: Share): string {
  return to === null ? `${from} or more` : from === to ? String(from) : `${from}–${to}`;
}
