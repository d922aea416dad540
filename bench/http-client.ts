/**
 * A small HTTP client for what wrk cannot do: a fixed number of requests.
 * One request at a time on each of its keep-alive connections; knows just enough of HTTP/1.1 for the engine's answers.
 */
import { connect, type Socket } from "node:net";

export interface Reply {
  readonly status: number;
  readonly degraded: boolean;
  /** Status line and headers. */
  readonly head: string;
  readonly body: string;
}

const NO_REPLY: Reply = { status: 0, degraded: false, head: "", body: "" };

/** One connection. A closed or broken one answers with status 0. */
export class Connection {
  readonly #socket: Socket;
  #buffer = "";
  #onReply: ((reply: Reply) => void) | undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.setNoDelay(true);
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (chunk: string) => this.#read(chunk));
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => this.#reply(NO_REPLY));
  }

  /** False once it is closed or broken, by either side. */
  get usable(): boolean {
    return !this.#socket.destroyed;
  }

  /** @param onReply called once */
  send(request: string, onReply: (reply: Reply) => void): void {
    this.#onReply = onReply;
    if (this.#socket.destroyed) queueMicrotask(() => this.#reply(NO_REPLY));
    else this.#socket.write(request, "latin1");
  }

  close(): void {
    this.#onReply = undefined;
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#buffer = this.#buffer === "" ? chunk : this.#buffer + chunk;
    const end = this.#buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#buffer.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#buffer.length < end + 4 + length) return;
    const body = this.#buffer.slice(end + 4, end + 4 + length);
    this.#buffer = this.#buffer.slice(end + 4 + length);
    this.#reply({ status: Number(head.slice(9, 12)), degraded: head.includes("\r\npopup-degraded:"), head, body });
  }

  #reply(reply: Reply): void {
    const onReply = this.#onReply;
    this.#onReply = undefined;
    onReply?.(reply);
  }
}

export const getPopup = (userId: number | string): string => `GET /v1/campaigns/popup?user_id=${userId} HTTP/1.1\r\nHost: bench\r\n\r\n`;

/** @param type impression, click or dismiss */
export function postReport(type: string, campaignId: number, userId: number | string, impressionId: string): string {
  const body = JSON.stringify({ user_id: userId, impression_id: impressionId });
  return `POST /v1/campaigns/${campaignId}/${type} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
