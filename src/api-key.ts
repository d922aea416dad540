/** API keys: `popup_ID_SECRET`, where the id is public and the secret 256 random bits in base64url. */
import { createHash, randomBytes } from "node:crypto";
import { invalid } from "./errors.js";

/** A live key as it is published; who knows it cannot make the key from it. */
export interface PublishedKey {
  readonly id: string /** Of the whole key, base64url. */;
  readonly sha256: string;
}

/** More would make the manifest, which every API process reads at each publish, longer than 100 KB. */
export const MOST_API_KEYS = 1_000;
const API_KEY = /^popup_([0-9a-f]{10})_[A-Za-z0-9_-]{43}$/;
const API_KEY_ID = /^[0-9a-f]{10}$/;
const API_KEY_NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** A new key. Its text is nowhere but in what this returns. */
export function newApiKey(): { id: string; key: string } {
  const id = randomBytes(5).toString("hex");
  return { id, key: `popup_${id}_${randomBytes(32).toString("base64url")}` };
}

/** The public id in a key, or undefined for a text that is no key. */
export function apiKeyId(text: string): string | undefined {
  return API_KEY.exec(text)?.[1];
}

/**
 * What is kept of a key. A slow hash is for passwords that people choose; 256 random bits cannot be guessed however fast
 * one guesses.
 */
export function apiKeyHash(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** @throws PopupError `invalid` */
export function checkApiKeyName(name: string): void {
  if (!API_KEY_NAME.test(name)) throw invalid("name", `"${name}" is not a name of an API key`, "1 to 64 characters of A-Z a-z 0-9 . _ -");
  if (API_KEY_ID.test(name)) throw invalid("name", `"${name}" looks like the id of an API key`, "name the system that will hold it");
}
