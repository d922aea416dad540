/** The token in the `authorization` header (RFC 6750, section 2.1). */
import { denied, type Verdict } from "./gate.js";

/** Longer ones are refused unread. */
const MAX_TOKEN_LENGTH = 4_096;
/** The scheme's name in any case (RFC 9110, 11.1), then the token's own characters and nothing else. */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** @returns the token, or why there is none */
export function readBearer(authorization: readonly string[]): string | Verdict {
  const [value, second] = authorization;
  if (value === undefined) return denied(undefined, "who asks is not said", "send authorization: Bearer TOKEN");
  if (second !== undefined) return denied("invalid_request", "there is more than one authorization header", "send one");
  if (!/^bearer(?: |$)/i.test(value)) return denied(undefined, "the authorization is of another scheme", "send authorization: Bearer TOKEN");
  if (value.length > MAX_TOKEN_LENGTH + "bearer ".length)
    return denied("invalid_token", `the token is longer than ${MAX_TOKEN_LENGTH} characters`, "issue it with fewer claims");
  return BEARER.exec(value)?.[1] ?? denied("invalid_token", "the token has a form that tokens do not have", "send authorization: Bearer TOKEN");
}
