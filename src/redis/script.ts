/** The Lua scripts: read from `lua/`, put together once, called with EVALSHA. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import { PACKAGE_ROOT } from "../version.js";
import { isCluster, type RedisLink } from "./cluster.js";
import { type Constants, putConstants } from "./lua-constants.js";

export type ScriptName = "select" | "explain" | "report" | "restore" | "extend" | "publish" | "verify";
export const SCRIPT_NAMES: readonly ScriptName[] = ["select", "explain", "report", "restore", "extend", "publish", "verify"];

/** Makes a module when something of it is first asked for. */
const SELDOM = `local made_when_asked = { __index = function(module, name)
  for key, value in pairs(rawget(module, 1)()) do module[key] = value end
  return rawget(module, name)
end }
local function seldom(make)
  return setmetatable({ make }, made_when_asked)
end
`;

/** A module that the `-- @use` line of a script names. */
export interface UsedModule {
  readonly name: string;
  /** Named in parentheses: most calls do without it. */
  readonly seldom: boolean;
}

/** What the `-- @use` line of a script's text names, in its order; undefined without such a line. */
export function usedModules(text: string): UsedModule[] | undefined {
  const words = /^-- @use(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/).filter(Boolean);
  return words?.map((word) => ({ name: word.replace(/[()]/g, ""), seldom: word.startsWith("(") }));
}

/**
 * The text of a script: the modules its `-- @use` line names, each closed in a function so that
 * they share nothing but their one name and their constants, and then the script itself. Every call makes its modules anew; one in
 * parentheses is made when something of it is first asked for.
 */
export function scriptSource(name: ScriptName): string {
  const read = (path: string): string => readFileSync(join(PACKAGE_ROOT, "lua", `${path}.lua`), "utf8");
  const main = read(name);
  const uses = usedModules(main);
  if (!uses) throw new PopupError("internal", `lua/${name}.lua has no "-- @use" line`);
  const known = new Map<string, Constants>();
  const modules = uses.map(({ name, seldom }) => {
    const { text, constants } = putConstants(read(`lib/${name}`), known);
    known.set(name, constants);
    const made = `(function()\n${text}end)`;
    return `local ${name} = ${seldom ? `seldom${made}` : `${made}()`}\n`;
  });
  return [...(uses.some(({ seldom }) => seldom) ? [SELDOM] : []), ...modules, putConstants(main, known).text].join("\n");
}

export class Script {
  readonly source: string;
  readonly sha: string;

  constructor(readonly name: ScriptName) {
    this.source = scriptSource(name);
    this.sha = createHash("sha1").update(this.source).digest("hex");
  }

  async load(redis: Redis): Promise<void> {
    await redis.script("LOAD", this.source);
  }

  /**
   * Runs the script. When the server does not know it (a restart, a failover, SCRIPT FLUSH) it is
   * loaded and run once more; that is safe because NOSCRIPT means that nothing ran.
   */
  async run(redis: RedisLink, keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      // Which server of a cluster it was is known to the client alone: there the text goes the way of the call.
      if (isCluster(redis)) return redis.eval(this.source, keys.length, ...keys, ...args);
      await this.load(redis);
      return redis.evalsha(this.sha, keys.length, ...keys, ...args);
    }
  }
}

/**
 * A reply's tag and what follows it.
 * @param many how many values follow a tag that is the first of `tags`
 * @throws PopupError `internal` for a shape or tag no script has
 */
export function decodeReply<T extends string>(script: ScriptName, reply: unknown, tags: readonly [T, ...T[]], many?: number): { tag: T; values: unknown[] } {
  const tag = Array.isArray(reply) ? tags.find((known) => known === reply[0]) : undefined;
  const values = Array.isArray(reply) ? reply.slice(1) : [];
  if (tag === undefined || (many !== undefined && tag === tags[0] && values.length !== many))
    throw new PopupError("internal", `lua/${script}.lua answered ${JSON.stringify(reply).slice(0, 200)}`);
  return { tag, values };
}
