/** Two scrapes of a running engine, a moment apart. */
import { setTimeout as delay } from "node:timers/promises";
import { PopupError, reasonOf } from "../errors.js";
import { Exposition } from "./exposition.js";
import type { Scrapes } from "./findings.js";

/** Between the scrapes: long enough for an engine in use to have decided something. */
const APART_MS = 1_000;
/** The engine itself waits up to 2 s for its processes. */
const ANSWER_MS = 5_000;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** @throws PopupError `unavailable` when no engine answers there */
export async function scrapeTwice(address: Address): Promise<Scrapes> {
  const before = await scrape(address);
  await delay(APART_MS);
  return { before, now: await scrape(address), time: Date.now() / 1_000 };
}

/** @throws PopupError `unavailable` when no engine answers there */
export async function scrape({ host, port }: Address): Promise<Exposition> {
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/metrics`;
  const nobody = (why: string, cause?: unknown): PopupError =>
    new PopupError("unavailable", `${url}: ${why}`, { hint: "is popup serve running, with this --admin?", cause });
  let text: string;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    text = await answer.text();
  } catch (error) {
    // fetch says no more than that it failed; why is in the cause.
    throw nobody(reasonOf(error instanceof TypeError && error.cause !== undefined ? error.cause : error), error);
  }
  const scraped = new Exposition(text);
  if (!scraped.samples.some(({ name }) => name.startsWith("popup_"))) throw nobody("what answers there is no popup engine");
  return scraped;
}
