/** What tokens are verified with: a secret, a PEM, or a JWKS (RFC 7517). The kind of key says which algorithm is accepted, never the token. */
import { createPublicKey, type JsonWebKey, type KeyObject, webcrypto } from "node:crypto";
import { createLocalJWKSet, importJWK, type JWK, type JWTVerifyGetKey } from "jose";
import { PopupError, reasonOf } from "../errors.js";

export type Algorithm = "HS256" | "RS256" | "ES256";

export interface TokenKeys {
  readonly algorithms: readonly Algorithm[];
  /** The key of a token, by its header where there are several. */
  readonly find: JWTVerifyGetKey;
}

/** As long as the hash (RFC 7518, 3.2). */
const MIN_SECRET_BYTES = 32;
const MIN_RSA_BITS = 2_048;

function refuse(name: string, problem: string, hint: string): PopupError {
  return new PopupError("bad_file", `${name}: ${problem}`, { hint });
}

/**
 * The key of HS256. One newline at the end does not belong to it.
 * @param name where it is from, for messages
 * @throws PopupError `bad_file`; the message does not hold the secret
 */
export async function parseSecret(bytes: Buffer, name: string): Promise<TokenKeys> {
  const text = bytes.toString("latin1");
  // A public key that served as an HMAC secret would let everyone who has it sign tokens.
  if (/-----BEGIN |"kty"/.test(text)) throw refuse(name, "holds a key of another kind, not a secret for HS256", "public keys are given with --jwt-keys");
  const secret = bytes.subarray(0, text.replace(/\r?\n$/, "").length);
  if (secret.length < MIN_SECRET_BYTES)
    throw refuse(name, `has ${secret.length} bytes, HS256 needs at least ${MIN_SECRET_BYTES}`, "openssl rand -base64 32 makes one");
  const key = await webcrypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  return { algorithms: ["HS256"], find: () => key };
}

/** Public keys from a PEM (one public key or certificate) or a JWKS. @throws PopupError `bad_file` */
export async function parsePublicKeys(bytes: Buffer, name: string): Promise<TokenKeys> {
  const text = bytes.toString("utf8");
  return text.includes("-----BEGIN ") ? parsePem(text, name) : parseJwks(text, name);
}

async function parsePem(text: string, name: string): Promise<TokenKeys> {
  if (/PRIVATE KEY-----/.test(text))
    throw refuse(name, "holds a private key", "the engine only verifies: openssl pkey -in KEY.pem -pubout gives the public one");
  if (text.split("-----BEGIN ").length > 2) throw refuse(name, "holds more than one key or certificate", "give the one that signs, or several as a JWKS");
  const { key, algorithm } = usableKey(() => createPublicKey(text), name);
  const imported = await importJWK(key.export({ format: "jwk" }) as JWK, algorithm);
  return { algorithms: [algorithm], find: () => imported };
}

function parseJwks(text: string, name: string): TokenKeys {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse(name, "is neither a PEM nor JSON", "give a JWKS, or a public key or certificate as PEM");
  }
  const listed = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(listed) || !listed.every((jwk) => typeof jwk === "object" && jwk !== null))
    throw refuse(name, "is not a JWKS", 'it looks like {"keys": […]}');
  const keys: JWK[] = [];
  for (const jwk of listed as JWK[]) {
    if (jwk.kty === "oct" || "k" in jwk || "d" in jwk)
      throw refuse(name, "holds a private or symmetric key", "give public keys only; the secret of HS256 goes into --jwt-secret-file");
    // Issuers publish keys for other purposes and algorithms beside these.
    if ((jwk.use ?? "sig") !== "sig" || !["RSA", "EC"].includes(jwk.kty ?? "")) continue;
    const intended = jwk.alg ?? (jwk.kty === "RSA" ? "RS256" : jwk.crv === "P-256" ? "ES256" : "");
    if (intended !== "RS256" && intended !== "ES256") continue;
    const { algorithm } = usableKey(() => createPublicKey({ key: jwk as JsonWebKey, format: "jwk" }), name);
    if (algorithm !== intended) throw refuse(name, `holds a key of type ${jwk.kty ?? "?"} for ${intended}`, "ask the issuer for its JWKS");
    keys.push({ ...jwk, alg: algorithm });
  }
  if (keys.length === 0) throw refuse(name, "holds no key for RS256 or ES256", "give the JWKS of the tokens' issuer");
  return { algorithms: [...new Set(keys.map((jwk) => jwk.alg as Algorithm))], find: createLocalJWKSet({ keys }) };
}

function usableKey(read: () => KeyObject, name: string): { key: KeyObject; algorithm: Algorithm } {
  let key: KeyObject;
  try {
    key = read();
  } catch (error) {
    throw refuse(name, `holds a key that cannot be read: ${reasonOf(error)}`, "give a public key of RSA or P-256");
  }
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa" && modulusLength >= MIN_RSA_BITS) return { key, algorithm: "RS256" };
  if (key.asymmetricKeyType === "ec" && namedCurve === "prime256v1") return { key, algorithm: "ES256" };
  throw refuse(name, "holds a key of a kind or size that is not used", `RSA of at least ${MIN_RSA_BITS} bits is for RS256, P-256 for ES256`);
}
