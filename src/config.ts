/**
 * Where the engine finds its parts: defaults < environment < flags. The only reader of
 * process.env for settings.
 */

import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { PopupError } from "./errors.js";
import { LOG_LEVELS, type LogLevel } from "./log-level.js";
import { didYouMean } from "./suggest.js";

export interface Config {
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  /** `embedded`, or a redis:// rediss:// unix:// URL. */
  readonly redisUrl: string;
  /** A PEM file with the certificates that a rediss:// server is trusted by, or null for those that Node knows. */
  readonly redisCa: string | null;
  /** Put before every Redis key. */
  readonly prefix: string;
  /** Who changes the store, for the audit log. */
  readonly actor: string;
  /** Which lines of the log are written; without it the part decides. */
  readonly logLevel?: LogLevel;
}

type QueueVariable = "sink" | "amqpUrl" | "amqpExchange" | "amqpQueue" | "kafkaBrokers" | "kafkaTopic" | "kafkaGroup" | "kafkaConfig";

export interface ConfigFlags {
  data?: string;
  redis?: string;
  redisCa?: string;
  prefix?: string;
  logLevel?: string;
}

/** @throws PopupError `usage` for a Redis URL of a form the client does not know, or a log level that there is not */
export function readConfig(flags: ConfigFlags = {}, env: NodeJS.ProcessEnv = process.env): Config {
  const redisUrl = flags.redis ?? env.POPUP_REDIS_URL ?? "embedded";
  const redisCa = flags.redisCa ?? env.POPUP_REDIS_CA ?? "";
  if (redisUrl !== "embedded" && !isRedisUrl(redisUrl)) {
    // The text may hold a password: it is not repeated.
    throw new PopupError("usage", "--redis: this is not a Redis URL", {
      hint: "use embedded, redis://HOST:PORT, rediss://USER:PASSWORD@HOST:PORT (other signs in them as %XX) or unix:///PATH",
      field: "redis",
    });
  }
  const prefix = flags.prefix ?? env.POPUP_PREFIX ?? "";
  if (/[{}\s]/.test(prefix))
    throw new PopupError("usage", "--prefix: has a brace or a blank in it", { hint: "use letters, digits and : . _ -", field: "prefix" });
  const logLevel = readLogLevel(flags.logLevel ?? env.POPUP_LOG_LEVEL);
  return {
    dataDir: resolve(flags.data ?? env.POPUP_DATA ?? "popup-data"),
    redisUrl,
    redisCa: redisCa === "" ? null : resolve(redisCa),
    prefix,
    actor: env.POPUP_ACTOR ?? systemUser(),
    ...(logLevel === undefined ? {} : { logLevel }),
  };
}

function readLogLevel(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined;
  const level = LOG_LEVELS.find((known) => known === text);
  if (!level)
    throw new PopupError("usage", `--log-level: "${text}" is none`, {
      hint: `${didYouMean(text, LOG_LEVELS)}use ${LOG_LEVELS.join(", ")}`,
      field: "log-level",
    });
  return level;
}

/** The environment in which a child process reads the same configuration; keeps a password out of `ps`. */
export function configEnv(config: Config): NodeJS.ProcessEnv {
  return {
    ...process.env,
    POPUP_DATA: config.dataDir,
    POPUP_REDIS_URL: config.redisUrl,
    POPUP_REDIS_CA: config.redisCa ?? "",
    POPUP_PREFIX: config.prefix,
    POPUP_ACTOR: config.actor,
    ...(config.logLevel === undefined ? {} : { POPUP_LOG_LEVEL: config.logLevel }),
  };
}

export const storePath = (config: Config): string => join(config.dataDir, "popup.db");
export const spoolDir = (config: Config): string => join(config.dataDir, "spool");
export const redisDir = (config: Config): string => join(config.dataDir, "redis");

/** The secret of HS256, which no flag takes. */
export function readJwtSecret(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env.POPUP_JWT_SECRET === "" ? undefined : env.POPUP_JWT_SECRET;
}

/** The browser of `popup preview --png`, in place of one that is found. */
export function readChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env.POPUP_CHROMIUM === "" ? undefined : env.POPUP_CHROMIUM;
}

/** Where the environment says that events go, and what it says of the queues; undefined where it says nothing. */
export function readQueueEnv(env: NodeJS.ProcessEnv = process.env): Readonly<Record<QueueVariable, string | undefined>> {
  return {
    sink: env.POPUP_SINK || undefined,
    amqpUrl: env.POPUP_AMQP_URL || undefined,
    amqpExchange: env.POPUP_AMQP_EXCHANGE || undefined,
    amqpQueue: env.POPUP_AMQP_QUEUE || undefined,
    kafkaBrokers: env.POPUP_KAFKA_BROKERS || undefined,
    kafkaTopic: env.POPUP_KAFKA_TOPIC || undefined,
    kafkaGroup: env.POPUP_KAFKA_GROUP || undefined,
    kafkaConfig: env.POPUP_KAFKA_CONFIG || undefined,
  };
}

/** An environment without the secrets that only API processes need. */
export function withoutJwtSecret({ POPUP_JWT_SECRET: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

/** Whatever is wrong with one is found here: errors of the parsers further down would quote it with its password. */
function isRedisUrl(text: string): boolean {
  if (/^unix:\/\/./.test(text)) return true;
  if (!/^rediss?:\/\/./.test(text)) return false;
  try {
    const { username, password, pathname } = new URL(text);
    decodeURIComponent(username);
    decodeURIComponent(password);
    return /^(?:\/\d{0,4})?$/.test(pathname);
  } catch {
    return false;
  }
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a uid that has no name.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
