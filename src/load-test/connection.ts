/**
 * One connection of autocannon, told by us when to send.
 *
 * autocannon sends again as soon as an answer is there, or, with a rate, sends a second's requests in one burst
 * and then pauses; nothing that it documents lets a request wait for the time when it is due. It also leaves the
 * request of a lost connection in its queue (every later answer is then timed against the request before it),
 * counts a connection that rests longer than its time-out as a failed request, and connects to a closed port
 * again at once, thousands of times a second. So `_doRequest` and `_connect` of each client are replaced here,
 * through `setupClient`, which it calls before it first connects; connections, parser and time-outs stay autocannon's.
 */
import type { Client } from "autocannon";
import { PopupError } from "../errors.js";
import type { Answer } from "./outcome.js";
import type { LoadRequest } from "./traffic.js";

/** What is used of autocannon's client (lib/httpClient.js of version 9) beyond its documentation. */
interface Internals {
  setRequests(
    requests: { requestBuffer?: string; onResponse: (status: number, body: string, context: object, headers: Record<string, unknown>) => void }[],
  ): void;
  on(event: "connError", listener: (error: Error) => void): void;
  _connect(): void;
  _doRequest(): void;
  _destroyConnection(): void;
  conn?: unknown;
  destroyed: boolean;
  parser: { type: string; initialize(type: string): void };
}

/** A request on its way. Times are of `performance.now()`, ms. */
export interface Sent {
  readonly request: LoadRequest;
  readonly due: number;
  readonly sent: number;
}

export interface ConnectionEvents {
  /** It can send; called again only after it has sent. */
  onFree(connection: Connection): void;
  onAnswer(sent: Sent, answer: Answer): void;
  /** The connection was lost before the answer, or the time-out closed it. */
  onLost(sent: Sent, why: "timeout" | "connection"): void;
  /** It cannot send any more, until it is free again. */
  onGone(connection: Connection): void;
}

/** How long a connection that could not be used waits before the next attempt. */
const RECONNECT_MS = 100;

export class Connection {
  readonly #client: Internals;
  readonly #sendNow: () => void;
  readonly #request: { requestBuffer?: string; onResponse: (status: number, body: string, context: object, headers: Record<string, unknown>) => void };
  #inFlight: Sent | undefined;
  #free = false;
  #working = true;
  #freeSince = 0;

  /** @param timeoutMs the time-out that autocannon was given */
  constructor(
    client: Client,
    timeoutMs: number,
    private readonly events: ConnectionEvents,
  ) {
    this.#client = internalsOf(client);
    const connect = this.#client._connect.bind(client);
    this.#sendNow = this.#client._doRequest.bind(client);
    this.#request = { onResponse: (status, body, _context, headers) => this.#answered(status, body, headers) };
    this.#client.setRequests([this.#request]);
    this.#client._doRequest = () => this.#freed();
    this.#client._connect = () => {
      const again = this.#client.conn !== undefined;
      if (again) this.#clear(timeoutMs);
      if (this.#working) connect();
      else {
        setTimeout(() => {
          if (!this.#client.destroyed) connect();
        }, RECONNECT_MS);
      }
      this.#working = false;
    };
  }

  /** Since when it could send, ms. */
  get freeSince(): number {
    return this.#freeSince;
  }

  /** @param due when the request should have been sent */
  send(request: LoadRequest, due: number): void {
    this.#free = false;
    this.#inFlight = { request, due, sent: performance.now() };
    this.#request.requestBuffer = request.text;
    this.#sendNow();
  }

  #freed(): void {
    if (this.#free) return;
    this.#free = true;
    this.#freeSince = performance.now();
    this.events.onFree(this);
  }

  #answered(status: number, body: string, headers: Record<string, unknown>): void {
    const sent = this.#inFlight;
    this.#inFlight = undefined;
    this.#working = true;
    const header = (name: string): string | undefined => {
      const found = Object.keys(headers).find((key) => key.toLowerCase() === name);
      return found === undefined ? undefined : String(headers[found]);
    };
    if (sent) this.events.onAnswer(sent, { status, body, header });
  }

  #clear(timeoutMs: number): void {
    // Also detaches the old socket, whose late data would be taken for an answer on the new one.
    this.#client._destroyConnection();
    this.#client.parser.initialize(this.#client.parser.type);
    const lost = this.#inFlight;
    this.#inFlight = undefined;
    if (this.#free) {
      this.#free = false;
      this.events.onGone(this);
    }
    // autocannon says why only after it has connected again. Its timer may be a millisecond early.
    if (lost) this.events.onLost(lost, performance.now() - lost.sent >= timeoutMs - 5 ? "timeout" : "connection");
  }
}

function internalsOf(client: Client): Internals {
  const internals = client as unknown as Internals;
  const known =
    typeof internals._connect === "function" &&
    typeof internals._doRequest === "function" &&
    typeof internals._destroyConnection === "function" &&
    typeof internals.parser?.initialize === "function";
  if (!known)
    throw new PopupError("internal", "this version of autocannon has another client than the one popup bench knows", {
      hint: "install the version of package-lock.json: npm ci",
    });
  return internals;
}
