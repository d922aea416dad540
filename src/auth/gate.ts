/** Who may ask: what a gate says about the credentials of one request. */
import { PopupError } from "../errors.js";

export type Verdict =
  /** Known. `userId` is the only user this caller may ask for, or null for any. */
  | { readonly kind: "caller"; readonly userId: string | null }
  | { readonly kind: "denied"; readonly error: Denied }
  /** Nothing is there yet to tell by. */
  | { readonly kind: "unknown" }
  /** A fault of the engine. */
  | { readonly kind: "failed"; readonly error: unknown };

export interface Gate {
  /**
   * Neither throws nor rejects; answers at once where it can.
   * @param authorization every `authorization` header of the request
   */
  check(authorization: readonly string[]): Verdict | Promise<Verdict>;
  close(): void;
}

/** Error codes of RFC 6750, section 3.1. */
export type BearerError = "invalid_request" | "invalid_token" | "insufficient_scope";
const CODE = { invalid_request: "invalid", invalid_token: "unauthorized", insufficient_scope: "forbidden" } as const;

/** A refusal with its challenge, the value of `www-authenticate`. */
export class Denied extends PopupError {
  readonly challenge: string;

  /** @param error undefined where there are no credentials: a client that just did not know is told no error (RFC 6750, 3.1) */
  constructor(error: BearerError | undefined, message: string, hint: string) {
    super(error === undefined ? "unauthorized" : CODE[error], message, { hint });
    this.challenge = error === undefined ? "Bearer" : `Bearer error="${error}", error_description="${message.replace(/["\\]/g, "'")}"`;
  }
}

export function denied(error: BearerError | undefined, message: string, hint: string): Verdict {
  return { kind: "denied", error: new Denied(error, message, hint) };
}

/** @throws Denied when the caller may not ask for this user */
export function checkUser(caller: { readonly userId: string | null }, userId: string): void {
  if (caller.userId !== null && caller.userId !== userId)
    throw new Denied("insufficient_scope", "the token is another user's", "ask for the user of the token");
}
