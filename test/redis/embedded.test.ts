/** The embedded server's lock: a left-over one does not count, whoever's pid stands in it; a live one does. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { openEmbeddedRedis } from "../../dist/redis/embedded.js";

const root = mkdtempSync(join(tmpdir(), "popup-embedded-"));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

for (const [whose, pid] of [
  ["this process' own pid, from before a restart", process.pid],
  ["a pid that is gone", 2 ** 30],
] as const) {
  t.test(`a left-over lock with ${whose}`, async (t) => {
    const dir = join(root, String(pid));
    mkdirSync(dir);
    writeFileSync(join(dir, "redis.lock"), String(pid));
    const server = await openEmbeddedRedis(dir);
    t.equal(server.owned, true);
    const second = await openEmbeddedRedis(dir);
    t.equal(second.owned, false, "a second user shares it");
    await second.stop();
    t.equal(await server.alive(), true, "and leaves it running");
    await server.stop();
    t.equal(existsSync(join(dir, "redis.lock")), false);
    writeFileSync(join(dir, "redis.lock"), "1");
    await server.stop();
    t.equal(existsSync(join(dir, "redis.lock")), true, "a second stop leaves another's lock alone");
  });
}
