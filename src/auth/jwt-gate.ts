/** JSON Web Tokens (RFC 7519): a customer's app, which may ask for the user that its token names. */
import { createHash } from "node:crypto";
import { errors, type JWTPayload, jwtVerify } from "jose";
import { PopupError } from "../errors.js";
import type { Clock } from "../time.js";
import { parseUserId, USER_ID_RULE } from "../user-id.js";
import { readBearer } from "./bearer.js";
import { denied, type Gate, type Verdict } from "./gate.js";
import type { KeyFile } from "./key-file.js";
import type { JwtRules } from "./settings.js";
import type { TokenKeys } from "./token-keys.js";

/** Verified tokens that are kept: an app sends the same one with its GET and its reports. Some 2 MB. */
const MOST_KEPT = 10_000;

/** What a token once verified is known by. */
interface Known {
  readonly caller: Verdict /** Epoch s, leeway included. */;
  readonly until: number;
  readonly keys: TokenKeys;
}

export class JwtGate implements Gate {
  /** By the token's SHA-256: tokens themselves are not kept. The first is the one not seen for longest. */
  readonly #known = new Map<string, Known>();

  constructor(
    private readonly keys: KeyFile,
    private readonly rules: JwtRules,
    private readonly clock: Clock,
  ) {}

  check(authorization: readonly string[]): Verdict | Promise<Verdict> {
    const token = readBearer(authorization);
    if (typeof token !== "string") return token;
    const now = this.clock();
    const keys = this.keys.current;
    const hash = createHash("sha256").update(token).digest("base64");
    const known = this.#known.get(hash);
    if (known) {
      this.#known.delete(hash);
      // With other keys, or past its time, it is looked at anew.
      if (known.keys === keys && Math.floor(now / 1000) < known.until) {
        this.#known.set(hash, known);
        return known.caller;
      }
    }
    return this.#verify(token, hash, keys, now);
  }

  close(): void {
    this.keys.close();
  }

  async #verify(token: string, hash: string, keys: TokenKeys, now: number): Promise<Verdict> {
    const { claim, issuer, audience, leewayS } = this.rules;
    try {
      const { payload } = await jwtVerify(token, keys.find, {
        algorithms: [...keys.algorithms],
        clockTolerance: leewayS,
        currentDate: new Date(now),
        requiredClaims: ["exp", claim],
        ...(issuer === null ? {} : { issuer }),
        ...(audience === null ? {} : { audience }),
      });
      const caller: Verdict = { kind: "caller", userId: userOf(payload, claim) };
      this.#keep(hash, { caller, until: (payload.exp ?? 0) + leewayS, keys });
      return caller;
    } catch (error) {
      if (error instanceof errors.JOSEError) return denied("invalid_token", problemOf(error), `accepted: ${keys.algorithms.join(", ")}, with exp and ${claim}`);
      if (error instanceof PopupError) return denied("invalid_token", `the claim ${claim} of the token is no user id`, error.hint ?? USER_ID_RULE);
      return { kind: "failed", error };
    }
  }

  #keep(hash: string, known: Known): void {
    this.#known.set(hash, known);
    if (this.#known.size <= MOST_KEPT) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}

/** @throws PopupError `invalid` */
function userOf(payload: JWTPayload, claim: string): string {
  return parseUserId(Object.hasOwn(payload, claim) ? payload[claim] : undefined);
}

/** What is wrong with a token, without a word of it. */
function problemOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return "the token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.reason === "missing") return `the token has no ${error.claim}`;
    return error.claim === "nbf" ? "the token is not valid yet" : `the token's ${error.claim} is not the one that is accepted`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the token's signature is wrong";
  if (error instanceof errors.JOSEAlgNotAllowed) return "the token's algorithm is not accepted";
  if (error instanceof errors.JWKSNoMatchingKey) return "the token names a key that is not known";
  if (error instanceof errors.JWKSMultipleMatchingKeys) return "the token does not say which of several keys it is signed with";
  return "the token is not a JWT that can be read";
}
