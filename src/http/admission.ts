/** Letting a request in: from its credentials and a gate's verdict to the work, or to a refusal. */
import type { HttpRequest } from "uWebSockets.js";
import { checkUser, type Verdict } from "../auth/gate.js";
import type { Exchange } from "./replies.js";

type Guard = (exchange: Exchange, work: (verdict: Verdict) => void) => (verdict: Verdict) => void;

/** @param guarded,refuse the server's own: what is thrown in the work becomes an answer */
export function admission(
  guarded: Guard,
  refuse: (exchange: Exchange, error: unknown) => void,
): {
  authorization: (req: HttpRequest) => string[];
  admit: (exchange: Exchange, verdict: Verdict | Promise<Verdict>, work: (check: (userId: string) => void) => void, unknown: () => void) => void;
} {
  return {
    /** Every `authorization` header: `getHeader` would give the first and hide that there is another. */
    authorization: (req) => {
      const values: string[] = [];
      req.forEach((name, value) => {
        if (name === "authorization") values.push(value);
      });
      return values;
    },
    /**
     * Does the work when the caller is known, in this turn if the verdict is there.
     * @param work gets what throws when the caller may not ask for a user
     * @param unknown does what there is to do while nothing is there to tell callers by
     */
    admit: (exchange, verdict, work, unknown) => {
      const act = guarded(exchange, (known) => {
        if (known.kind === "caller") work((userId) => checkUser(known, userId));
        else if (known.kind === "unknown") unknown();
        else refuse(exchange, known.error);
      });
      if (verdict instanceof Promise) void verdict.then(act);
      else act(verdict);
    },
  };
}
