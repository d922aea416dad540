/** Two engines on one port, for as long as an upgrade takes. uWebSockets.js shares ports; whether one shall be shared is asked here. */
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Api } from "../app.js";
import { PopupError } from "../errors.js";
import type { Address } from "./admin.js";

const LOOK_MS = 50;

/** Whether another process listens there. @throws PopupError `unavailable` when nobody does, and this one cannot either */
export function isTaken({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(true);
      else
        reject(
          new PopupError("unavailable", `${host}:${port} cannot be listened on (${error.code ?? error.message})`, {
            hint: "choose another with --host or --port",
          }),
        );
    });
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(false)));
  });
}

/**
 * Resolves when the engine could answer. Before that it would take a share of the connections from one that can; where that is gone, an
 * answer without a popup is better than none, and it does not wait.
 */
export async function untilReady(engine: Api["engine"], address: Address): Promise<void> {
  while ((engine.unready !== undefined || engine.recovering) && (await answers(address))) {
    await delay(LOOK_MS);
    await engine.refresh();
  }
}

/** Whether someone takes connections there. Listening to find out would be in the way of a process that is about to. */
function answers({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => socket.destroy());
    socket.once("error", () => undefined);
    socket.once("close", (failed) => resolve(!failed));
  });
}
