/** `popup doctor` */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { Redis } from "ioredis";
import { openConfiguredStore } from "../../background.js";
import { type Config, redisDir, storePath } from "../../config.js";
import { type Finding, findings, type Scrapes } from "../../doctor/findings.js";
import { scrapeTwice } from "../../doctor/scrape.js";
import { PopupError, reasonOf } from "../../errors.js";
import { loadUws } from "../../http/uws.js";
import { unpartitionedCluster } from "../../partition.js";
import type { RedisLink } from "../../redis/cluster.js";
import { infoField } from "../../redis/info.js";
import { Keys } from "../../redis/keys.js";
import { readLayout } from "../../redis/layout.js";
import type { Address } from "../../serve/admin.js";
import { VERSION } from "../../version.js";
import { contextOf, counted, table } from "../context.js";
import { DEFAULT_ADMIN, parseAdmin } from "./admin-flag.js";

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly hint?: string /** Of a finding in a running engine. */;
  readonly alarm?: string;
  readonly level?: Finding["level"];
}

export function doctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("check this machine (Node, uWebSockets.js, redis-server, store, Redis) and the engine that runs on it")
    .option("--admin <host:port>", `the admin listener of a running engine, or off (default: ${DEFAULT_ADMIN} where one answers)`)
    .addHelpText("after", "\nExamples:\n  popup doctor\n  popup doctor --admin 10.0.0.5:9464")
    .action(async (flags: { admin?: string }, command: Command) => {
      const context = contextOf(command);
      const admin = parseAdmin(flags.admin ?? DEFAULT_ADMIN);
      const checks: Check[] = [];
      const check = async (name: string, work: () => string | Promise<string>): Promise<void> => {
        try {
          checks.push({ check: name, ok: true, detail: await work() });
        } catch (error) {
          const hint = error instanceof PopupError ? error.hint : undefined;
          checks.push({ check: name, ok: false, detail: reasonOf(error), ...(hint === undefined ? {} : { hint }) });
        }
      };
      await check("popup", () => VERSION);
      await check("node", () => nodeVersion());
      await check("uWebSockets.js", () => (loadUws(), "native"));
      if (context.config.redisUrl === "embedded") await check("redis-server", () => redisServerVersion());
      await check("store", () => storeState(context.config));
      await check("redis", () => redisState(context.config));
      if (admin) checks.push(...(await engineState(admin, flags.admin !== undefined)));
      const lines = checks.map((c) => [c.level?.toUpperCase() ?? (c.ok ? "ok" : "FAILED"), c.alarm ?? c.check, c.detail]);
      const hints = checks.flatMap((c) => (c.hint === undefined ? [] : [`${c.alarm ?? c.check}: ${c.hint}`]));
      context.print(checks, [table(["", "check", "found"], lines, { wrap: "found" }), ...hints].join("\n"));
      const failed = checks.filter((c) => !c.ok);
      if (failed.length > 0)
        throw new PopupError("unavailable", `${failed.length} of ${checks.length} checks failed: ${[...new Set(failed.map((c) => c.check))].join(", ")}`, {
          hint: "what to do about each is above",
        });
    });
}

/** @param asked whether this engine was asked for; otherwise it is no matter that there is none */
async function engineState(admin: Address, asked: boolean): Promise<Check[]> {
  let scrapes: Scrapes;
  try {
    scrapes = await scrapeTwice(admin);
  } catch (error) {
    if (!(error instanceof PopupError)) throw error;
    return asked ? [{ check: "engine", ok: false, detail: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }] : [];
  }
  const wrong = findings(scrapes);
  if (wrong.length > 0) return wrong.map(({ alarm, level, what, hint }) => ({ check: "engine", ok: level !== "alarm", detail: what, hint, alarm, level }));
  const processes = scrapes.now
    .all("popup_processes")
    .map(({ labels, value }) => `${labels.part} ${value}`)
    .join(", ");
  return [{ check: "engine", ok: true, detail: `${admin.host}:${admin.port}: nothing is wrong${processes === "" ? "" : ` (${processes})`}` }];
}

function nodeVersion(): string {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 15))
    throw new PopupError("unavailable", `Node ${process.versions.node} is too old`, { hint: "install Node 20.15 or a later 20" });
  return process.versions.node;
}

function redisServerVersion(): string {
  let text: string;
  try {
    text = execFileSync("redis-server", ["--version"], { encoding: "utf8" });
  } catch (error) {
    throw new PopupError("unavailable", "redis-server is not installed", { hint: "apt-get install redis-server, or brew install redis", cause: error });
  }
  return checkRedisVersion(/v=(\S+)/.exec(text)?.[1] ?? "unknown");
}

function checkRedisVersion(version: string): string {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 6 || (major === 6 && minor < 2)) throw new PopupError("unavailable", `Redis ${version} is too old`, { hint: "6.2 or newer is needed" });
  return version;
}

function storeState(config: Config): string {
  if (!existsSync(storePath(config))) return `${storePath(config)} does not exist yet; the first command makes it`;
  const store = openConfiguredStore(config);
  try {
    return `${storePath(config)}: ${counted(store.campaigns.list().length, "campaign")}, ${counted(store.audiences.list().length, "audience")}`;
  } finally {
    store.close();
  }
}

/** The version that is live, and of how many partitions where there are several. */
async function publishedState(redis: RedisLink, prefix: string, cluster: boolean): Promise<string> {
  const keys = new Keys(prefix);
  const { partitions, movingTo } = await readLayout(redis, keys);
  if (cluster && partitions === 1 && movingTo === null) throw unpartitionedCluster("conflict");
  if (movingTo !== null)
    throw new PopupError("conflict", `users are being moved from ${partitions} to ${movingTo} partitions: nothing is decided meanwhile`, {
      hint: `popup repartition ${movingTo} does it, and goes on where it was stopped`,
    });
  const versions = await Promise.all(keys.split(partitions).map(({ version }) => redis.get(version)));
  const of = partitions === 1 ? "" : `${partitions} partitions, `;
  const missing = versions.indexOf(null);
  if (missing >= 0) return `${of}nothing published yet${partitions === 1 ? "" : ` in partition ${missing}`}`;
  return `${of}version ${versions.sort().at(-1)}`;
}

/** @throws PopupError `unavailable` for a server that the engine must not use */
async function serverState(redis: Redis): Promise<string> {
  const info = await redis.info();
  const field = (name: string): string => infoField(info, name) ?? "unknown";
  checkRedisVersion(field("redis_version"));
  const policy = field("maxmemory_policy");
  if (policy !== "noeviction")
    throw new PopupError("unavailable", `Redis evicts keys (${policy}): counts would be lost`, { hint: "CONFIG SET maxmemory-policy noeviction" });
  return `${field("redis_version")}, ${field("used_memory_human")}`;
}

async function redisState(config: Config): Promise<string> {
  if (config.redisUrl === "embedded" && !existsSync(redisDir(config))) return "embedded, not started yet";
  const [{ backgroundConnection }, { isCluster, serversOf }, { openEmbeddedRedis }] = await Promise.all([
    import("../../redis/client.js"),
    import("../../redis/cluster.js"),
    import("../../redis/embedded.js"),
  ]);
  const embedded = config.redisUrl === "embedded" ? await openEmbeddedRedis(redisDir(config)) : undefined;
  try {
    const redis = await backgroundConnection(embedded?.url ?? config.redisUrl, config.redisCa);
    try {
      const servers = serversOf(redis);
      const states = (await Promise.all(servers.map(serverState))).join("; ");
      return `${isCluster(redis) ? `a cluster of ${counted(servers.length, "master")} (${states})` : states}, ${await publishedState(redis, config.prefix, isCluster(redis))}`;
    } finally {
      redis.disconnect();
    }
  } finally {
    await embedded?.stop();
  }
}
