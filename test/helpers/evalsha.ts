/** A connection whose scripts are called through `around`, one after another; every other command goes straight on. */
import type { Redis } from "ioredis";

export interface ScriptCall {
  readonly keys: readonly string[];
  /** Runs it. @param on another connection to run it on */
  run(on?: Redis): Promise<unknown>;
}

export function aroundScripts(redis: Redis, around: (call: ScriptCall) => Promise<unknown>): Redis {
  let turn: Promise<unknown> = Promise.resolve();
  return new Proxy(redis, {
    get(target, name) {
      if (name !== "evalsha") {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      }
      return (sha: string, count: number, ...rest: (string | Buffer | number)[]): Promise<unknown> => {
        const call = { keys: rest.slice(0, count).map(String), run: (on = target) => on.evalsha(sha, count, ...rest) };
        const result = turn.then(() => around(call));
        turn = result.catch(() => undefined);
        return result;
      };
    },
  });
}
