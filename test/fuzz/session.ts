/** What one connection sends, and what has to come back. A session is a pure function of a seed and its number. */
import type { EventType } from "../../dist/event.js";

export type Want =
  /** A popup, or `204` where the engine did not make its deadline. */
  | { readonly kind: "popup" }
  | { readonly kind: "receipt"; readonly type: EventType }
  | {
      readonly kind: "problem";
      readonly status: number;
      readonly field?: string;
      readonly bodyless?: boolean /** Nobody could tell while Redis was asked in vain: the report waits in the spool, and the worker sets it aside. */;
      readonly orSpooled?: boolean;
    }
  | { readonly kind: "well" };

/** How the client ends a step: it goes on, sends a FIN, a reset, or the server closes. */
export type Ending = "stay" | "fin" | "reset" | "server";

export interface Step {
  /** For messages. */
  readonly name: string;
  /** Each in a write of its own. */
  readonly writes: readonly Buffer[];
  /** The answers, in order; undefined where HTTP itself is broken: whatever comes has to be an answer, and none of the engine's faults. */
  readonly wants: readonly Want[] | undefined;
  readonly ending: Ending;
}

export interface Session {
  readonly seed: number;
  readonly number: number;
  readonly steps: readonly Step[];
}

/** Campaigns that exist: uncapped; with caps; counted when it is shown. */
export const CAMPAIGNS = [1, 2, 3] as const;
