/** Publishing: one switch, only what changed, never on top of what one has not seen. */
import t from "tap";
import { readManifest } from "../../dist/manifest.js";
import { setStatus, updateCampaign } from "../../dist/store/campaign-changes.js";
import { publish } from "../../dist/sync/publish.js";
import { watchStore } from "../../dist/sync/watch.js";
import { startEngine } from "../helpers/engine.js";
import { until } from "../helpers/until.js";

const ids = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => String(from + i));

t.test("keys are those of the contract", async (t) => {
  const engine = await startEngine(t, { http: false });
  engine.audience({ kind: "segment", name: "mixed" }, ["9", "cust-1"], "bitmap");
  const id = engine.campaign({ target: "users | segment:mixed", caps: ["1/day", "3/total"], priority: 7, body: "B" });
  engine.audience({ kind: "users", campaignId: id }, ["5", "7"], "set");
  const draft = engine.campaign({ status: "draft" });
  const { version, campaigns, audiences_sent } = await engine.publish();
  t.match({ campaigns, audiences_sent }, { campaigns: 1, audiences_sent: 2 });
  const { redis } = engine;
  t.strictSame(await redis.zrange("campaigns:active", "0", "-1", "WITHSCORES"), [String(id), "7"]);
  t.equal(await redis.get("campaigns:version"), version);
  t.match(await redis.hgetall(`campaign:${id}:meta`), {
    title: "Offer",
    body: "B",
    priority: "7",
    max_frequency: "3",
    caps: "1/day,3/total",
    target_segment: "users | segment:mixed",
    start_time: "1577836800",
    end_time: "2208988800",
  });
  t.equal(await redis.exists(`campaign:${draft}:meta`), 0, "a draft is not published");
  t.strictSame((await redis.smembers(`campaign:${id}:users`)).sort(), ["5", "7"]);
  t.equal(await redis.getbit("segment:mixed:users", 9), 1);
  t.strictSame(await redis.smembers("segment:mixed:users:strings"), ["cust-1"]);
  t.equal(readManifest((await redis.get("campaigns:manifest")) ?? "").version, version);
  t.strictSame(
    (await redis.keys("*")).filter((key) => key.includes(":prepared:")),
    [],
    "nothing prepared is left over",
  );
});

t.test("what has not changed is not sent again; what is no longer wanted goes", async (t) => {
  const engine = await startEngine(t, { http: false });
  engine.audience({ kind: "segment", name: "a" }, ids(0, 1000));
  engine.audience({ kind: "segment", name: "b" }, ["x-1", "5"], "bitmap");
  const id = engine.campaign({ target: "segment:a | segment:b" });
  const first = await engine.publish();
  t.equal(first.audiences_sent, 2);
  t.match(await engine.publish(), { version: first.version, audiences_sent: 0 }, "nothing to do keeps the version");
  updateCampaign(engine.store, id, { title: "Other" });
  const second = await engine.publish();
  t.equal(second.audiences_sent, 0);
  t.not(second.version, first.version);
  engine.audience({ kind: "segment", name: "b" }, ["6"], "bitmap");
  t.equal((await engine.publish()).audiences_sent, 1);
  t.equal(await engine.redis.exists("segment:b:users:strings"), 0, "the set beside the bitmap went with its last string id");
  t.equal(await engine.redis.getbit("segment:b:users", 5), 0);
  setStatus(engine.store, id, "paused", "test");
  await engine.publish();
  t.equal(await engine.redis.exists("segment:a:users"), 1, "a paused campaign is expected back");
  setStatus(engine.store, id, "ended", "test");
  await engine.publish();
  t.equal(await engine.redis.exists("segment:a:users", "segment:b:users"), 0);
  t.equal(await engine.redis.exists(`campaign:${id}:meta`), 1, "its meta stays for late impressions");
  engine.at("2040-01-08T00:00:01Z");
  await engine.publish();
  t.equal(await engine.redis.exists(`campaign:${id}:meta`), 0, "until 7 days after its end");
});

t.test("an emptied Redis is filled again, and full sends everything", async (t) => {
  const engine = await startEngine(t, { http: false });
  engine.audience({ kind: "segment", name: "a" }, ["1", "2"], "set");
  engine.campaign({ target: "segment:a" });
  const first = await engine.publish();
  await engine.redis.flushall();
  const again = await engine.publish();
  t.equal(again.audiences_sent, 1);
  t.not(again.version, first.version);
  t.strictSame((await engine.redis.smembers("segment:a:users")).sort(), ["1", "2"]);
  await engine.redis.srem("segment:a:users", "1");
  t.equal((await engine.publish()).audiences_sent, 0, "damage that leaves the marks is not seen");
  t.equal((await engine.publish(true)).audiences_sent, 1, "but full mends it");
  t.strictSame((await engine.redis.smembers("segment:a:users")).sort(), ["1", "2"]);
});

t.test("two publishers at once: none is lost, and the last state wins", async (t) => {
  const engine = await startEngine(t, { http: false });
  const id = engine.campaign({ title: "0" });
  await engine.publish();
  for (let round = 1; round <= 10; round++) {
    updateCampaign(engine.store, id, { title: String(round) });
    await Promise.all([engine.publish(), engine.publish(), publish(engine.store, engine.redis, engine.keys, engine.now, { full: true })]);
    t.equal(await engine.redis.hget(`campaign:${id}:meta`, "title"), String(round));
  }
});

t.test("no decision sees half a publish", async (t) => {
  const engine = await startEngine(t);
  // Odd and even states differ in list, meta and audience; a decision that mixed them would show a title
  // that does not fit the audience, or nothing at all.
  const id = engine.campaign({ title: "even", target: "users", status: "draft" });
  engine.audience({ kind: "users", campaignId: id }, [...ids(0, 200_000), "even-user"], "bitmap");
  setStatus(engine.store, id, "active", "test");
  await engine.publish();
  let done = false;
  const flip = (async () => {
    for (let round = 1; round <= 20; round++) {
      const name = round % 2 === 0 ? "even" : "odd";
      engine.store.transaction(() => {
        updateCampaign(engine.store, id, { title: name });
        engine.audience({ kind: "users", campaignId: id }, [...ids(round % 2, 200_000), `${name}-user`], round % 3 === 0 ? "set" : "bitmap");
      });
      await engine.publish();
    }
    done = true;
  })();
  let decisions = 0;
  const wrong: string[] = [];
  while (!done) {
    const [odd, even] = await Promise.all([engine.request("/v1/campaigns/popup?user_id=odd-user"), engine.request("/v1/campaigns/popup?user_id=even-user")]);
    for (const [answer, own] of [
      [odd, "odd"],
      [even, "even"],
    ] as const) {
      decisions++;
      if (answer.headers.has("popup-degraded")) continue;
      const title = (answer.json as { title?: string } | undefined)?.title;
      if (answer.status === 200 && title !== own) wrong.push(`${own}-user saw "${title}"`);
    }
  }
  await flip;
  t.ok(decisions > 20, `${decisions} decisions during 20 publishes`);
  t.strictSame(wrong, []);
});

t.test("the watch publishes a change soon, and outlives trouble", async (t) => {
  const engine = await startEngine(t, { http: false });
  const id = engine.campaign({ title: "before" });
  const ending = new AbortController();
  const incidents: (string | undefined)[] = [];
  let looks = 0;
  const watching = watchStore(engine.store, engine.redis, engine.keys, {
    intervalMs: 3_600_000,
    clock: () => engine.now,
    signal: ending.signal,
    onPublish: () => undefined,
    onCurrent: () => looks++,
    onIncident: (cause) => incidents.push(cause),
  });
  const title = (): Promise<string | null> => engine.redis.hget(`campaign:${id}:meta`, "title");
  await until("the first publish", async () => (await title()) === "before");
  // The first look publishes twice: one that has read what is published already would put the key below right.
  await until("the first look is over", () => looks > 0);
  // A key of the wrong type makes the next publish fail until it is gone.
  await engine.redis.set("campaigns:published", "not a hash");
  updateCampaign(engine.store, id, { title: "after" });
  await until("the trouble is told", () => incidents.length === 1);
  await engine.redis.del("campaigns:published");
  await until("the change is live", async () => (await title()) === "after");
  await until("its end is told", () => incidents.length === 2);
  t.match(incidents, [/WRONGTYPE/, undefined]);
  await engine.redis.flushall();
  await until("an emptied Redis is filled again", async () => (await title()) === "after");
  ending.abort();
  await watching;
});
