/** What is sent: which user asks, when a report comes instead, and what the answers mean for later requests. */
import type { Mix } from "./mix.js";
import { type Answer, type Kind, readDecision, readReceipt, type Shown } from "./outcome.js";
import type { Random } from "./random.js";
import type { Users } from "./users.js";

export interface LoadRequest {
  readonly kind: Kind;
  readonly userId: string;
  /** The whole HTTP/1.1 request. */
  readonly text: string;
}

/** Popups that wait for their report; past this the older half is forgotten, as if the app had been closed. */
const MOST_WAITING = 10_000;

export class Traffic {
  /** The newest is reported first, as an app reports what it has just shown. */
  readonly #waiting: Shown[] = [];
  readonly #base: string;
  readonly #host: string;
  #replaced = 0;

  constructor(
    url: string,
    private readonly mix: Mix,
    private readonly users: Users,
    private readonly random: Random,
  ) {
    const { host, pathname } = new URL(url);
    this.#host = host;
    this.#base = pathname.replace(/\/$/, "");
  }

  /** How many times a GET was sent where a POST was drawn, because no popup waited for its report. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Each request is drawn anew, so what is not reported now is not made up for later. */
  next(): LoadRequest {
    if (this.random(this.mix.gets + this.mix.posts) >= this.mix.gets) {
      const shown = this.#waiting.pop();
      if (shown) return this.#report(shown);
      this.#replaced++;
    }
    const userId = this.users.at(this.random(this.users.count));
    return { kind: "get", userId, text: this.#request("GET", `/v1/campaigns/popup?user_id=${encodeURIComponent(userId)}`) };
  }

  /** The outcome of an answered request. */
  read(request: LoadRequest, answer: Answer): string {
    if (request.kind === "post") return readReceipt(answer);
    const { outcome, shown } = readDecision(request.userId, answer);
    if (shown && this.mix.posts > 0) {
      if (this.#waiting.length >= MOST_WAITING) this.#waiting.splice(0, MOST_WAITING / 2);
      this.#waiting.push(shown);
    }
    return outcome;
  }

  #report({ userId, campaignId, impressionId }: Shown): LoadRequest {
    const body = JSON.stringify({ user_id: userId, impression_id: impressionId });
    return { kind: "post", userId, text: this.#request("POST", `/v1/campaigns/${campaignId}/impression`, body) };
  }

  // Written out: autocannon's own builder costs a third of a request's CPU time, which is then missing to load or to the engine.
  #request(method: string, path: string, body?: string): string {
    const about = body === undefined ? "" : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    return `${method} ${this.#base}${path} HTTP/1.1\r\nHost: ${this.#host}\r\nConnection: keep-alive\r\n${about}\r\n${body ?? ""}`;
  }
}
