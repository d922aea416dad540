/** Reservation: a decision holds a place in the caps until its showing is reported or its time runs out. */
import t from "tap";
import { select } from "../../dist/redis/decisions.js";
import { restorePartitions } from "../../dist/sync/restore.js";
import { startEngine } from "../helpers/engine.js";
import { reportAll, selectAll, Worksheet } from "../helpers/worksheet.js";

const engine = await startEngine(t, { http: false });
const { redis, keys, store } = engine;
const sheet = new Worksheet(engine);
let user = 0;

/** A fresh user and a campaign alone, with these fields. */
async function alone(fields: Record<string, unknown>, userCaps = ""): Promise<{ id: number; user: string }> {
  for (const campaign of store.campaigns.list())
    if (campaign.status === "active") store.campaigns.update(campaign.id, { ...campaign, status: "ended" }, "test");
  store.settings.set("user_caps", userCaps);
  const id = engine.campaign(fields);
  await sheet.publish();
  return { id, user: String(++user) };
}

t.test("the last place is promised once, and is free again when its time runs out", async (t) => {
  const { id, user } = await alone({ caps: ["1/total"], reserve: 30 });
  t.match(await sheet.select(user, null, "a"), { tag: "show", campaignId: id });
  t.match(await sheet.select(user, null, "b"), { tag: "none" }, "the other device sees nothing");
  engine.now += 29_999;
  t.match(await sheet.select(user, null, "b"), { tag: "none" });
  engine.now += 1;
  t.match(await sheet.select(user, null, "c"), { tag: "show" }, "nobody reported it: it is free again");
  t.match(await sheet.impression(user, id, "c"), { tag: "counted", total: 1 });
  t.match(await sheet.impression(user, id, "a"), { tag: "capped" }, "a showing that is reported when its place is gone is not counted");
  t.match(await sheet.impression(user, id, "c"), { tag: "duplicate" });
  t.equal(await redis.hexists(keys.record(user), "h"), 0, "nothing is left of the places");
});

t.test("two devices in one call: one of them", async (t) => {
  const { user } = await alone({ caps: ["1/day"], reserve: 10 });
  const asks = ["a", "b", "c"].map((impressionId) => ({ userId: user, sessionId: null, impressionId }));
  t.same(
    (await selectAll(redis, keys, sheet.live, sheet.windows, asks)).map(({ tag }) => tag),
    ["show", "none", "none"],
  );
});

t.test("a report takes the place of its own decision, and no other's", async (t) => {
  const { id, user } = await alone({ caps: ["2/total"], reserve: 60 });
  await sheet.select(user, null, "a");
  await sheet.select(user, null, "b");
  t.match(await sheet.impression(user, id, "stranger"), { tag: "capped" }, "both places are promised");
  t.match(await sheet.impression(user, id, "b"), { tag: "counted", total: 1 });
  t.match(await sheet.impression(user, id, "a"), { tag: "counted", total: 2 });
  t.match(await sheet.select(user, null, "c"), { tag: "none" });
});

t.test("both places of a user reported in one call: both are counted, and none is left", async (t) => {
  const { id, user } = await alone({ caps: ["2/total", "2/day"], reserve: 60 });
  await sheet.select(user, null, "a");
  await sheet.select(user, null, "b");
  const asks = ["a", "b"].map((impressionId) => ({ type: "impression" as const, campaignId: id, userId: user, impressionId, sessionId: null }));
  t.same(
    (await reportAll(redis, keys, sheet.version, sheet.windows, asks)).map(({ total }) => total),
    [1, 2],
  );
  const record = await redis.hgetallBuffer(keys.record(user));
  t.same(Object.keys(record).sort(), [String(id), "r", `t${id}`].sort());
  t.equal(record[String(id)]?.toString(), "2");
  t.equal(record[`t${id}`]?.length, 2 * 6);
  t.match([await sheet.impression(user, id, "a"), await sheet.impression(user, id, "b")], [{ tag: "duplicate" }, { tag: "duplicate" }], "both are remembered");
});

t.test("the setting holds for campaigns that say nothing; 0 and count_on serve hold none", async (t) => {
  store.settings.set("reserve", "20");
  const { user } = await alone({ caps: ["1/total"] });
  t.match([await sheet.select(user, null, "a"), await sheet.select(user, null, "b")], [{ tag: "show" }, { tag: "none" }]);
  const off = await alone({ caps: ["1/total"], reserve: 0 });
  t.match([await sheet.select(off.user, null, "a"), await sheet.select(off.user, null, "b")], [{ tag: "show" }, { tag: "show" }]);
  const serve = await alone({ caps: ["1/total"], count_on: "serve" });
  await sheet.select(serve.user, null, "a");
  t.equal(await redis.hexists(keys.record(serve.user), "h"), 0);
  const free = await alone({ caps: [] });
  await sheet.select(free.user, null, "a");
  t.equal(await redis.exists(keys.record(free.user)), 0, "without a cap there is no place to hold");
  store.settings.set("reserve", "0");
});

t.test("within a session only its own places are held, over all popups every one", async (t) => {
  const own = await alone({ caps: ["1/session"], reserve: 60 });
  const tags = async (...sessions: (string | null)[]): Promise<(string | undefined)[]> => {
    const found: (string | undefined)[] = [];
    for (const [i, session] of sessions.entries()) found.push((await sheet.select(own.user, session, `s${i}`))?.tag);
    return found;
  };
  t.same(await tags("one", "one", "two", null, "two"), ["show", "none", "show", "show", "none"]);

  const policy = await alone({ caps: ["9/total"], reserve: 60 }, "1/session");
  const other = engine.campaign({ priority: 9, caps: ["9/total"], reserve: 60 });
  await sheet.publish();
  t.match(await sheet.select(policy.user, "one", "a"), { campaignId: other });
  t.match(await sheet.select(policy.user, "one", "b"), { tag: "none" }, "another campaign's place counts");
  t.match(await sheet.select(policy.user, "two", "c"), { tag: "show" });
  t.match(await sheet.impression(policy.user, other, "a", "one"), { tag: "counted" });
  t.match(await sheet.select(policy.user, "one", "d"), { tag: "none" });
});

t.test("no more than 32 places are held, and what cannot be held is not shown", async (t) => {
  const { user } = await alone({ caps: ["100/day"], reserve: 3_600 });
  const tags = new Map<string | undefined, number>();
  for (let i = 0; i < 40; i++) {
    const tag = (await sheet.select(user, null, `m${i}`))?.tag;
    tags.set(tag, (tags.get(tag) ?? 0) + 1);
  }
  t.same(
    [...tags],
    [
      ["show", 32],
      ["none", 8],
    ],
  );
});

t.test("an exempt campaign is shown although too many places are held, and holds no more", async (t) => {
  const { user } = await alone({ exempt: true, reserve: 3_600 }, "9/day");
  for (let i = 0; i < 40; i++) t.match(await sheet.select(user, null, `e${i}`), { tag: "show" });
  // 32 places of 11 bytes and a name of 3.
  t.ok((await redis.hstrlen(keys.record(user), "h")) <= 32 * 16);
});

t.test("when Redis refuses to write, only decisions that hold a place are none", async (t) => {
  const { id, user } = await alone({ caps: ["1/total"], reserve: 60 });
  const free = engine.campaign({ priority: -1 });
  await sheet.publish();
  await sheet.impression("seen", id, "x");
  await redis.config("SET", "maxmemory", "1mb");
  const reply = await select(
    redis,
    keys,
    sheet.live,
    sheet.windows,
    [user, "seen"].map((userId) => ({ userId, sessionId: null, impressionId: "r" })),
  );
  await redis.config("SET", "maxmemory", "0");
  t.match(reply, { tag: "decided", answers: [{ message: /OOM/ }, free] });
});

t.test("a record of places alone lives as long as they do", async (t) => {
  const { user } = await alone({ caps: ["1/total"], reserve: 30 });
  await sheet.select(user, "s", "a");
  const left = await redis.pttl(keys.record(user));
  t.ok(left > 0 && left <= 30_000, `${left} ms`);
  t.equal((await sheet.events()).filter((event) => event.user === user).length, 0, "and no event tells of it");
});

t.test("places outlive a restore of the counters", async (t) => {
  const { id, user } = await alone({ caps: ["2/total"], reserve: 60 });
  await sheet.impression(user, id, "seen");
  await sheet.select(user, null, "held");
  await restorePartitions(store, redis, [keys], engine.now);
  t.match(await sheet.select(user, null, "b"), { tag: "none" });
  t.match(await sheet.impression(user, id, "held"), { tag: "counted", total: 2 });
});
