/** Which server of a Redis Cluster has which slots, as CLUSTER SLOTS tells; and the errors by which a server says that this has changed. */
import type { Redis } from "ioredis";
import { reasonOf } from "../errors.js";

/** Some slots that follow each other, and the master that has them. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly host: string;
  readonly port: number;
}

type SlotsReply = readonly (readonly [first: number, last: number, master: readonly [host: string | null, port: number]])[];

/** All slots that are served, as the server at the other end knows it. @throws what Redis answers when it is no node of a cluster */
export async function readSlots(redis: Redis): Promise<SlotRange[]> {
  const reply = (await redis.cluster("SLOTS")) as unknown as SlotsReply;
  return reply.map(([first, last, [host, port]]) => ({
    first,
    last,
    // A server that does not know its own name is where it was found.
    host: host === null || host === "" || host === "?" ? (redis.options.host ?? "127.0.0.1") : host,
    port,
  }));
}

/**
 * What a server's error says about the slot that was asked for; none of these commands was run.
 * `moved`: another server has it. `moving`: it is on its way to another server, and the keys of the command are on both.
 */
export function slotTroubleOf(error: unknown): "moved" | "moving" | undefined {
  const [word] = reasonOf(error).split(" ", 1);
  if (word === "MOVED") return "moved";
  return word === "ASK" || word === "TRYAGAIN" ? "moving" : undefined;
}
