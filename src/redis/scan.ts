/** Every key of a pattern. */
import { type RedisLink, serversOf } from "./cluster.js";

/** Keys that a server looks at in one command: some tenths of a millisecond. */
const SCAN_COUNT = 500;

/** The keys that SCAN finds on all servers, some at a time; one may come twice. */
export async function* scan(redis: RedisLink, pattern: string): AsyncGenerator<readonly string[]> {
  for (const server of serversOf(redis)) {
    let cursor = "0";
    do {
      const [next, names] = await server.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
      if (names.length > 0) yield names;
      cursor = next;
    } while (cursor !== "0");
  }
}
