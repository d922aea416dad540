/** Why Redis does not let us in, in words; and keeping the password out of the client's errors. */
import { reasonOf } from "../errors.js";

/** Node's and OpenSSL's codes for a certificate that is not trusted. */
const UNTRUSTED = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_GET_ISSUER_CERT",
  "CERT_SIGNATURE_FAILURE",
]);

export interface Refusal {
  readonly message: string;
  readonly hint: string;
}

/** What a person can mend about a connection that was refused; undefined for other trouble. */
export function refusalOf(error: unknown): Refusal | undefined {
  const reason = reasonOf(error);
  const code = (error as { code?: unknown } | null)?.code;
  if (/^WRONGPASS|^ERR invalid password/.test(reason))
    return {
      message: "Redis refuses the user or the password",
      hint: "check them in POPUP_REDIS_URL: rediss://USER:PASSWORD@HOST:PORT, other signs in them as %XX",
    };
  if (/^NOAUTH|HELLO must be called with the client already authenticated/.test(reason))
    return { message: "Redis wants a password", hint: "give it in POPUP_REDIS_URL: redis://USER:PASSWORD@HOST:PORT" };
  if (reason.startsWith("NOPERM"))
    return { message: `the Redis user lacks a right: ${reason}`, hint: "docs/operations.md has the rights that the engine needs" };
  if (reason.includes("SELECT is not allowed in cluster mode"))
    return {
      message: "the Redis URL names a database, and this Redis is a cluster, which has one only",
      hint: "take the number off the end of the URL; --prefix keeps several engines apart",
    };
  if (typeof code !== "string") return undefined;
  if (UNTRUSTED.has(code))
    return { message: `the certificate of Redis is not trusted: ${reason}`, hint: "name the authority's certificate with --redis-ca FILE" };
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return { message: `the certificate of Redis is for another host: ${reason}`, hint: "name the host in --redis as its certificate does" };
  if (code === "CERT_HAS_EXPIRED") return { message: "the certificate of Redis has expired", hint: "renew it" };
  return undefined;
}

/** For `error` events, before anyone else sees them: the client hangs the failed command on the error, and that of the greeting holds the password. */
export function withoutCommand(error: Error & { command?: unknown }): void {
  delete error.command;
}

/** {@link withoutCommand}, and what is wrong is said in words. */
export function explain(error: Error & { command?: unknown }): void {
  withoutCommand(error);
  error.message = refusalOf(error)?.message ?? error.message;
}
