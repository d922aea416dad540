/** Tokens as any issuer, or any attacker, may put them together; signed by node:crypto and not by what verifies them. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const rsaPair = (bits = 2_048): KeyPair => generateKeyPairSync("rsa", { modulusLength: bits });
export const ecPair = (curve = "P-256"): KeyPair => generateKeyPairSync("ec", { namedCurve: curve });
export const pem = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }).toString();
export const jwk = (key: KeyObject, more: Record<string, unknown> = {}): Record<string, unknown> => ({ ...key.export({ format: "jwk" }), ...more });

const part = (value: unknown): string => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/**
 * A JWT in its compact form.
 * @param payload an object, or its JSON as it is to stand there
 * @param key signs as `header.alg` says; without one the signature is empty
 */
export function token(header: { alg: string } & Record<string, unknown>, payload: unknown, key?: KeyObject | string): string {
  const signed = `${part(header)}.${part(payload)}`;
  if (key === undefined) return `${signed}.`;
  if (typeof key === "string")
    return `${signed}.${createHmac(`sha${header.alg.slice(2)}`, key)
      .update(signed)
      .digest("base64url")}`;
  const signature = sign("sha256", Buffer.from(signed), header.alg.startsWith("ES") ? { key, dsaEncoding: "ieee-p1363" } : key);
  return `${signed}.${signature.toString("base64url")}`;
}
