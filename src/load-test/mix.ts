/** How many decisions are asked for each report: the flag `--mix GETS:POSTS`. */
import { invalid } from "../errors.js";

export interface Mix {
  readonly gets: number;
  readonly posts: number;
}

const MOST = 1_000;

/** @throws PopupError `invalid` */
export function parseMix(text: string): Mix {
  const match = /^(\d{1,4}):(\d{1,4})$/.exec(text);
  const gets = Number(match?.[1]);
  const posts = Number(match?.[2]);
  const hint = `write GETS:POSTS such as 10:3, each up to ${MOST}; 1:0 asks for popups only`;
  if (!match || gets > MOST || posts > MOST) throw invalid("--mix", `"${text}" is not a ratio of GETs to POSTs`, hint);
  // A report needs the popup of an earlier GET.
  if (gets === 0) throw invalid("--mix", `"${text}" has no GETs, and a POST reports what a GET has returned`, hint);
  return { gets, posts };
}
