/** API keys: the bank's own systems, each of which may ask for any user. */
import { timingSafeEqual } from "node:crypto";
import { apiKeyHash, apiKeyId } from "../api-key.js";
import { readBearer } from "./bearer.js";
import { denied, type Gate, type Verdict } from "./gate.js";

const ANY_USER: Verdict = { kind: "caller", userId: null };

export class KeyGate implements Gate {
  /** @param published the live keys, id → SHA-256; undefined until they are known */
  constructor(private readonly published: () => ReadonlyMap<string, Buffer> | undefined) {}

  check(authorization: readonly string[]): Verdict {
    const key = readBearer(authorization);
    if (typeof key !== "string") return key;
    const id = apiKeyId(key);
    if (id === undefined) return denied("invalid_token", "this is not an API key", "popup key create makes one");
    const keys = this.published();
    if (!keys) return { kind: "unknown" };
    const hash = keys.get(id);
    // An id is no secret; how much of a hash agrees would be one.
    if (hash && timingSafeEqual(hash, apiKeyHash(key))) return ANY_USER;
    return denied("invalid_token", "the API key is unknown or revoked", "popup key list shows those there are");
  }

  close(): void {
    // Holds nothing open.
  }
}
