/** `popup reconcile` and `popup sync --full` on the embedded Redis. */
import { join } from "node:path";
import t from "tap";
import { backgroundConnection } from "../../dist/redis/client.js";
import { openEmbeddedRedis } from "../../dist/redis/embedded.js";
import { cli } from "../helpers/cli.js";

t.test("a record that no event explains: said with exit 1, mended with --fix", async (t) => {
  const popup = cli(t);
  const fields = [
    "--title",
    "T",
    "--image-url",
    "https://b.example/i.png",
    "--action-url",
    "app:x",
    "--priority",
    "1",
    "--target",
    "all",
    "--start",
    "2020-01-01",
    "--end",
    "2040-01-01",
    "--cap",
    "3/total",
    "--status",
    "active",
  ];
  await popup(["campaign", "create", ...fields]);
  const server = await openEmbeddedRedis(join(popup.dir, "data", "redis"));
  const redis = await backgroundConnection(server.url);
  t.teardown(async () => {
    redis.disconnect();
    await server.stop();
  });
  await redis.hset("user:7:impressions", "1", "2");
  t.match(await popup(["reconcile"]), { code: 1, stderr: /nothing is published.*\n.*popup sync/s }, "without a list there is nothing to compare by");
  await redis.del("user:7:impressions");
  t.match(await popup(["sync"]), { code: 0, stdout: /1 campaign, 0 audiences sent, \d/ });
  t.same(await popup(["reconcile"]), { code: 0, stdout: "0 users compared: nothing differs\n", stderr: "" });
  await redis.hset("user:7:impressions", "1", "2");
  t.same(await popup(["reconcile"]), {
    code: 1,
    stdout: "user 7, campaign 1: impressions 2 in Redis, 0 by the events\n1 user compared: 1 difference of 1 user\n",
    stderr: "popup: Redis and the events differ\n  popup reconcile --fix makes these records anew from the events\n",
  });
  const { code, stdout } = await popup(["reconcile", "--fix", "--json"]);
  t.equal(code, 0);
  t.same(JSON.parse(stdout), {
    users: 1,
    users_differing: 1,
    differences: 1,
    fixed: 1,
    found: [{ user_id: "7", campaign_id: 1, what: "impressions", redis: "2", events: "0" }],
  });
  t.match(await popup(["sync", "--full"]), { code: 0, stdout: /counters of 0 users restored/ });
});
