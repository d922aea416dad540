/** The client process as the harness holds it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Entry, readHistory } from "../history.js";
import type { ClientMessage, ClientOrder, LoadPlan } from "./messages.js";

export interface Load {
  /** Requests that have ended so far. */
  readonly ended: () => number;
  /** Sends GETs as fast as possible and resolves when all of them have ended. */
  flood(gets: number, together: number): Promise<void>;
  /** No more visits; resolves with the whole history when every report is accepted, or after `patienceMs`. */
  finish(patienceMs: number): Promise<{ readonly entries: Entry[]; readonly stallMs: number }>;
  /** Ends the process, whatever it is doing. */
  kill(): void;
}

const PROCESS = fileURLToPath(new URL("./process.js", import.meta.url));

/** Starts the customers. */
export function startLoad(plan: LoadPlan): Load {
  const child = fork(PROCESS, [JSON.stringify(plan)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const exited = once(child, "exit");
  let ended = 0;
  child.on("message", (message: ClientMessage) => {
    if ("progress" in message) ended = message.progress;
  });
  const obey = (order: ClientOrder): Promise<ClientMessage> => {
    const done = new Promise<ClientMessage>((resolve) =>
      child.on("message", (message: ClientMessage) => {
        if ("done" in message && message.done === order.order) resolve(message);
      }),
    );
    child.send(order);
    return Promise.race([done, exited.then(() => Promise.reject(new Error("the client process ended by itself")))]);
  };
  return {
    ended: () => ended,
    flood: async (gets, together) => void (await obey({ order: "flood", gets, together })),
    finish: async (patienceMs) => {
      const message = await obey({ order: "finish", patienceMs });
      await exited;
      return { entries: readHistory(plan.file), stallMs: "stallMs" in message ? message.stallMs : 0 };
    },
    kill: () => void child.kill("SIGKILL"),
  };
}
