import t from "tap";
import { estimateLag, readStreamState } from "../../dist/redis/stream-state.js";
import { startRedis } from "../helpers/redis.js";

const STREAM = "impressions";

t.test("a stream that is not there, one without groups, one with two", async (t) => {
  const { redis } = await startRedis(t);
  t.same(await readStreamState(redis, STREAM), { entries: 0, lastId: "0-0", groups: [] });
  for (let n = 1; n <= 10; n++) await redis.xadd(STREAM, `${n}000-0`, "e", "x");
  t.same(await readStreamState(redis, STREAM), { entries: 10, lastId: "10000-0", groups: [] });
  await redis.xgroup("CREATE", STREAM, "sqlite", "0");
  await redis.xgroup("CREATE", STREAM, "kafka", "0");
  await redis.xreadgroup("GROUP", "sqlite", "c", "COUNT", 4, "STREAMS", STREAM, ">");
  await redis.xack(STREAM, "sqlite", "1000-0");
  t.same(await readStreamState(redis, STREAM), {
    entries: 10,
    lastId: "10000-0",
    groups: [
      { name: "kafka", pending: 0, lag: 10, oldestPending: null, lastDelivered: "0-0" },
      { name: "sqlite", pending: 3, lag: 6, oldestPending: "2000-0", lastDelivered: "4000-0" },
    ],
  });
  await redis.xdel(STREAM, "6000-0");
  const [, sqlite] = (await readStreamState(redis, STREAM)).groups;
  t.equal(sqlite?.lag, 5, "Redis does not know any more: estimated, as Redis 6.2 has it always");
  await redis.set("text", "1");
  await t.rejects(readStreamState(redis, "text"), { message: /WRONGTYPE/ });
});

t.test("the estimate", async (t) => {
  const cases: [number, string | null, string, string, number][] = [
    [0, null, "5-0", "0-0", 0],
    [10, "1000-0", "10000-0", "0-0", 10],
    [10, "1000-0", "10000-0", "999-9", 10],
    [10, "1000-0", "10000-0", "10000-0", 0],
    [10, "1000-0", "10000-0", "4000-0", 6],
    [10, "1000-0", "1000-9", "1000-8", 1],
    [10, "1000-0", "10000-5", "10000-4", 1],
  ];
  for (const [entries, first, last, delivered, lag] of cases)
    t.equal(estimateLag(entries, first, last, delivered), lag, `${entries} ${first} ${last} ${delivered}`);
});
