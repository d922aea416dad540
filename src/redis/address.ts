/** What a Redis URL says, as the client takes it. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { RedisOptions } from "ioredis";
import { PopupError, reasonOf } from "../errors.js";

export type Address = Pick<RedisOptions, "host" | "port" | "path" | "username" | "password" | "db" | "tls">;

/**
 * @param url one that `readConfig` has let through
 * @param ca a PEM file with the certificates that a rediss:// server is trusted by; null for those that Node knows
 * @throws PopupError `bad_file` when that cannot be read
 */
export function addressOf(url: string, ca: string | null): Address {
  if (url.startsWith("unix://")) return { path: url.slice("unix://".length) };
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, "") || "127.0.0.1";
  return {
    host,
    port: parsed.port === "" ? 6379 : Number(parsed.port),
    ...(parsed.username === "" ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === "" ? {} : { password: decodeURIComponent(parsed.password) }),
    ...(parsed.pathname.length > 1 ? { db: Number(parsed.pathname.slice(1)) } : {}),
    ...(parsed.protocol === "rediss:" ? { tls: { ...serverNameOf(host), ...(ca === null ? {} : { ca: readCa(ca) }) } } : {}),
  };
}

/** Another node of the cluster that a node with this address is in: it is let in by the same user, password and authority. A cluster has no databases. */
export function nodeAddress({ tls, path: _path, db: _db, ...address }: Address, host: string, port: number): Address {
  if (tls === undefined) return { ...address, host, port };
  const { servername: _name, ...others } = tls;
  return { ...address, host, port, tls: { ...others, ...serverNameOf(host) } };
}

/** The name goes to the server (SNI), which may have several certificates; an address must not. */
function serverNameOf(host: string): ConnectionOptions {
  return isIP(host) === 0 ? { servername: host } : {};
}

function readCa(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new PopupError("bad_file", `${path} cannot be read: ${reasonOf(error)}`, { hint: "--redis-ca names a PEM file with the authority's certificates" });
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    throw new PopupError("bad_file", `${path} holds no certificate`, { hint: "--redis-ca names a PEM file with the authority's certificates" });
  return text;
}
