/** Connections that send a byte now and then and never come to an end, as many as it takes to tie up a server that waits for them. */
import { connect, type Socket } from "node:net";
import type { Random } from "../helpers/random.js";

const EVERY_MS = 1_000;
const BEGINNINGS = [
  "",
  "G",
  "GET /v1/campaigns/popup?user_id=",
  "GET /healthz HTTP/1.1\r\nhost: x\r\nx: ",
  "POST /v1/campaigns/1/click HTTP/1.1\r\nhost: x\r\ncontent-length: 4000\r\n\r\n{",
  "POST /v1/campaigns/1/click HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfff\r\n{",
];

export class SlowClients {
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;
  /** Cut off by the server. */
  cut = 0;

  /** @param count how many there are at any time: one that is cut off comes again */
  constructor(
    private readonly port: number,
    count: number,
    private readonly random: Random,
  ) {
    for (let i = 0; i < count; i++) this.#open();
    this.#timer = setInterval(() => {
      for (const socket of this.#sockets) socket.write(this.random.pick(["x", " ", "a"]));
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #open(): void {
    const socket = connect(this.port, "127.0.0.1");
    this.#sockets.add(socket);
    socket.on("connect", () => socket.write(this.random.pick(BEGINNINGS)));
    socket.resume();
    // The server may reset it; that it is gone is told by close.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (!this.#sockets.delete(socket)) return;
      this.cut++;
      this.#open();
    });
  }
}
