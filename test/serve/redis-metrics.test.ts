/** What a scrape reads in Redis. */
import t from "tap";
import { hotConnection, lookingConnection } from "../../dist/redis/client.js";
import { Keys } from "../../dist/redis/keys.js";
import type { Metrics } from "../../dist/serve/messages.js";
import { RedisMetrics } from "../../dist/serve/redis-metrics.js";
import { startRedis } from "../helpers/redis.js";
import { until } from "../helpers/until.js";

const keys = new Keys("bank1:");
const valuesOf = (metrics: Metrics): Record<string, number> =>
  Object.fromEntries(metrics.flatMap(({ name, values }) => values.map(({ value, labels }) => [[name, ...Object.values(labels)].join(" "), value])));

t.test("the oldest entry that some sink still needs, under the prefix", async (t) => {
  const { redis, url } = await startRedis(t);
  const looking = lookingConnection(url);
  const metrics = new RedisMetrics(looking, keys);
  t.teardown(() => metrics.close());
  await until("it is connected", () => looking.status === "ready");
  const read = async (): Promise<Record<string, number>> => valuesOf(await metrics.collect());
  t.match(await read(), { popup_redis_up: 1, popup_stream_entries: 0, popup_stream_oldest_seconds: 0 });
  t.notOk(
    Object.keys(await read()).some((name) => name.startsWith("popup_published")),
    "nothing is published",
  );

  const now = Number((await redis.time())[0]);
  const ago = (seconds: number): string => `${(now - seconds) * 1_000}-0`;
  for (const seconds of [500, 400, 300, 200, 100]) await redis.xadd(keys.stream, ago(seconds), "e", "x");
  const age = async (): Promise<number> => Math.floor(((await read()).popup_stream_oldest_seconds ?? Number.NaN) / 100) * 100;
  t.equal(await age(), 500, "no sink has begun");
  await redis.xgroup("CREATE", keys.stream, "sqlite", "0");
  t.equal(await age(), 500);
  await redis.xreadgroup("GROUP", "sqlite", "c", "COUNT", 3, "STREAMS", keys.stream, ">");
  t.equal(await age(), 500, "it is given out, and not acknowledged");
  await redis.xack(keys.stream, "sqlite", ago(500));
  t.equal(await age(), 400);
  await redis.xack(keys.stream, "sqlite", ago(400), ago(300));
  t.equal(await age(), 200, "the next that is unread");
  await redis.xgroup("CREATE", keys.stream, "kafka", "0");
  t.equal(await age(), 500, "another sink is behind");
  await redis.xgroup("DESTROY", keys.stream, "kafka");
  await redis.xreadgroup("GROUP", "sqlite", "c", "STREAMS", keys.stream, ">");
  await redis.set(keys.version, "20261123T151150Z-eb532e9");
  await redis.config("SET", "maxmemory", "123456789");
  t.match(await read(), {
    popup_stream_entries: 5,
    "popup_stream_lag sqlite": 0,
    "popup_stream_pending sqlite": 2,
    "popup_published_version_info 20261123T151150Z-eb532e9": 1,
    popup_redis_maxmemory_bytes: 123456789,
  });
  await redis.xack(keys.stream, "sqlite", ago(200), ago(100));
  t.equal(await age(), 0, "nothing waits");
});

t.test("a Redis that is away, or refuses, is down and nothing else is said", async (t) => {
  const away = new RedisMetrics(lookingConnection("redis://127.0.0.1:1"), keys);
  t.teardown(() => away.close());
  t.same(valuesOf(await away.collect()), { popup_redis_up: 0 });
  const { redis, url } = await startRedis(t);
  await redis.set(keys.stream, "no stream");
  const looking = lookingConnection(url);
  const metrics = new RedisMetrics(looking, keys);
  t.teardown(() => metrics.close());
  await until("it is connected", () => looking.status === "ready");
  t.same(valuesOf(await metrics.collect()), { popup_redis_up: 0 });
});

t.test("a Redis that hangs is down, whatever the connection does about it, and is asked once", async (t) => {
  const { redis, url } = await startRedis(t);
  const pid = Number(/process_id:(\d+)/.exec(await redis.info("server"))?.[1]);
  const patient = hotConnection(url);
  patient.on("error", () => undefined);
  const metrics = new RedisMetrics(patient, keys);
  t.teardown(() => metrics.close());
  await until("it is connected", () => patient.status === "ready");
  process.kill(pid, "SIGSTOP");
  t.teardown(() => process.kill(pid, "SIGCONT"));
  for (let n = 0; n < 3; n++) t.same(valuesOf(await metrics.collect()), { popup_redis_up: 0 });
  t.ok(patient.commandQueue.length <= 6, `${patient.commandQueue.length} commands wait, those of one reading`);
  process.kill(pid, "SIGCONT");
  await until("it is back", async () => valuesOf(await metrics.collect()).popup_redis_up === 1);
});
