/**
 * Where the engine finds its parts: defaults < environment < flags. The only reader of
 * process.env for settings.
 */
import { join, resolve } from "node:path";
import { userInfo } from "node:os";
import { PopupError } from "./errors.js";

export interface Config {
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  /** `embedded`, or a redis:// rediss:// unix:// URL. */
  readonly redisUrl: string;
  /** Put before every Redis key. */
  readonly prefix: string;
  /** Who changes the store, for the audit log. */
  readonly actor: string;
}

export interface ConfigFlags { data?: string; redis?: string; prefix?: string }

/** @throws PopupError `usage` for a Redis URL of a form the client does not know */
export function readConfig(flags: ConfigFlags = {}, env: NodeJS.ProcessEnv = process.env): Config {
  const redisUrl = flags.redis ?? env.POPUP_REDIS_URL ?? "embedded";
  if (redisUrl !== "embedded" && !/^(rediss?|unix):\/\/./.test(redisUrl)) {
    // The text may hold a password: it is not repeated.
    throw new PopupError("usage", "--redis: this is not a Redis URL", { hint: "use embedded, redis://HOST:PORT, rediss://… or unix:///PATH", field: "redis" });
  }
  const prefix = flags.prefix ?? env.POPUP_PREFIX ?? "";
  if (/[{}\s]/.test(prefix)) throw new PopupError("usage", "--prefix: has a brace or a blank in it", { hint: "use letters, digits and : . _ -", field: "prefix" });
  return {
    dataDir: resolve(flags.data ?? env.POPUP_DATA ?? "popup-data"),
    redisUrl,
    prefix,
    actor: env.POPUP_ACTOR ?? systemUser(),
  };
}

/** The environment in which a child process reads the same configuration; keeps a password out of `ps`. */
export function configEnv(config: Config): NodeJS.ProcessEnv {
  return { ...process.env, POPUP_DATA: config.dataDir, POPUP_REDIS_URL: config.redisUrl, POPUP_PREFIX: config.prefix, POPUP_ACTOR: config.actor };
}

export const storePath = (config: Config): string => join(config.dataDir, "popup.db");
export const spoolDir = (config: Config): string => join(config.dataDir, "spool");
export const redisDir = (config: Config): string => join(config.dataDir, "redis");

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a uid that has no name.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
