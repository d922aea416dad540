/** The port of an HTTP server, from listening to letting the last connection go. */
import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { setTimeout as delay } from "node:timers/promises";
import { PopupError } from "../errors.js";
import type { Parting } from "./replies.js";
import { loadUws } from "./uws.js";

/** After a drain a connection is new, so its request is on the way; it comes within this, ms. */
const QUIET_MS = 250;
/** A turn of the event loop in which nothing happens takes less, ms; and when there is none among so many, it is left at that. */
const TURN_MS = 0.1;
const MOST_TURNS = 200;
const LOOK_MS = 5;

export class Listener {
  readonly parting: Parting = { yes: false };
  /** Requests that are not answered yet. */
  #open = 0;
  /** When the last one came. */
  #cameAt = 0;
  #quietMs = 0;
  #socket: us_listen_socket | undefined;

  constructor(private readonly app: TemplatedApp) {}

  /** A request has come. */
  came(): void {
    this.#open++;
    this.#cameAt = performance.now();
  }

  /** A request was answered, or its client has gone. */
  left(): void {
    this.#open--;
  }

  /** Listens, sharing the port with other processes of the same user. @throws PopupError `unavailable` when the port cannot be had */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.app.listen(host, port, (token) => {
        if (token) {
          this.#socket = token;
          resolve();
        } else
          reject(
            new PopupError("unavailable", `${host}:${port} cannot be listened on`, {
              hint: "another process has it, or it needs more rights; choose another with --port",
            }),
          );
      });
    });
  }

  /** From now on it is not ready, and each answer is the last on its connection. */
  drain(): void {
    this.parting.yes = true;
    this.#quietMs = QUIET_MS;
  }

  /** Takes no new connection, answers what was asked (for at most `graceMs`), and returns. */
  async close(graceMs = 5_000): Promise<void> {
    this.parting.yes = true;
    await quietTurn();
    if (this.#socket) loadUws().us_listen_socket_close(this.#socket);
    const deadline = performance.now() + graceMs;
    this.#cameAt = performance.now();
    // Idle connections stay with the client; they end with the process or with their time-out.
    while ((this.#open > 0 || performance.now() - this.#cameAt < this.#quietMs) && performance.now() < deadline) await delay(LOOK_MS);
  }
}

/**
 * Returns at the end of a turn of the event loop in which nothing happened. A connection that the kernel has made and nobody has taken is lost
 * with the listening socket, and so is every one that came since the turn looked for them.
 */
async function quietTurn(): Promise<void> {
  let began = 0;
  for (let turn = 0; turn < MOST_TURNS && performance.now() - began > TURN_MS; turn++) {
    began = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
