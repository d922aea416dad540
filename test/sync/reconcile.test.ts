/** Reconcile says every difference between what Redis has counted and the events, and mends them. */
import t from "tap";
import { type Difference, type Reconciliation, reconcile } from "../../dist/sync/reconcile.js";
import { startEngine } from "../helpers/engine.js";
import { Random, seedOfRun } from "../helpers/random.js";
import { Worksheet } from "../helpers/worksheet.js";

const DAY = 86_400_000;
const engine = await startEngine(t, { http: false });
const { redis, keys, store } = engine;
const sheet = new Worksheet(engine);
const USERS = ["1", "2", "007", "a:b@c", "4294967295"];

store.settings.set("user_caps", "40/month,9/session");
const campaigns = [
  engine.campaign({ caps: ["3/day", "9/total"], stop_after: ["click"] }),
  engine.campaign({ caps: ["2/session", "5/6h"], count_on: "serve" }),
  engine.campaign({ caps: ["1/1h"], priority: -1 }),
  engine.campaign({ exempt: true, priority: -2 }),
];
await sheet.publish();

let ids = 0;
async function traffic(random: Random, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) {
    engine.now += random.pick([1, 60_000, 3 * 3_600_000]);
    const [user, session, id] = [random.pick(USERS), random.chance(0.5) ? `s${random.between(1, 3)}` : null, `i${++ids}`];
    const campaign = random.pick(campaigns);
    if (random.chance(0.3)) await sheet.select(user, session, id);
    else if (random.chance(0.8)) await sheet.impression(user, campaign, id, session);
    else await sheet.reaction(random.pick(["click", "dismiss"] as const), user, campaign, id, session);
  }
}

async function look(fix = false): Promise<Reconciliation & { found: Difference[] }> {
  const found: Difference[] = [];
  return { ...(await reconcile(store, redis, keys, engine.now, { fix, onDifference: (difference) => found.push(difference) })), found };
}

t.test("what the engine does leaves nothing to say, in the store and in the stream, now and after records have expired", async (t) => {
  const random = new Random(seedOfRun());
  t.comment(`seed ${random.seed}`);
  await traffic(random, 150);
  await engine.drain();
  await traffic(random, 80);
  t.same(await look(), { users: USERS.length, users_differing: 0, differences: 0, fixed: 0, found: [] });
  // A record of a window cap alone is gone after a day; its events are not.
  const brief = "brief";
  await sheet.impression(brief, campaigns[3] ?? 0, "once");
  await redis.del(keys.record(brief));
  engine.now += 400 * DAY;
  t.same(
    (await look()).found.filter((d) => d.user_id === brief),
    [],
  );
});

t.test("a record that cannot be read is a difference like others, and is made anew", async (t) => {
  const [first = 0] = campaigns;
  const spoilt: Record<string, (record: string) => Promise<unknown>> = {
    "another-type": async (record) => (await redis.del(record), redis.lpush(record, "x")),
    "show-times": (record) => redis.hset(record, "t", "1234567"),
    "remembered-reports": (record) => redis.hset(record, "r", "\u0005abc"),
    "held-places": (record) => redis.hset(record, "h", "abc"),
  };
  for (const [what, spoil] of Object.entries(spoilt)) {
    await sheet.impression(what, first, `${what}-1`);
    await spoil(keys.record(what));
  }
  await sheet.impression("sound", first, "sound");
  const { found, ...rest } = await look(true);
  t.same(
    found.map((d) => [d.user_id, d.campaign_id, d.what, d.redis]).sort(),
    Object.keys(spoilt)
      .sort()
      .map((user) => [user, null, "the whole record", "unreadable"]),
  );
  t.match(rest, { users_differing: 4, fixed: 4 });
  t.match(await look(), { differences: 0 });
  for (const user of Object.keys(spoilt)) t.match(await sheet.impression(user, first, `${user}-1`), { tag: "duplicate" }, user);
});

t.test("every kind of difference is said, and mended", async (t) => {
  const now = engine.now;
  const [first = 0, , third = 0] = campaigns;
  const user = "77";
  for (const id of ["a", "b"]) await sheet.impression(user, first, id, "s1");
  await sheet.impression(user, third, "c", "s1");
  await sheet.reaction("click", user, first, "a");
  const record = keys.record(user);
  await redis.hset(record, String(first), "1");
  await redis.hset(record, "n", "9");
  await redis.hdel(record, `t${third}`);
  await redis.hset(record, `x${first}`, "0");
  await redis.hset(record, "s", `~s1=7@${Math.floor(now / 1000).toString(16)}`);
  await redis.hset(keys.record("phantom"), String(first), "3");
  const at = new Date(now).toISOString();
  const { found, ...rest } = await look();
  const of = (id: string): Difference[] =>
    found.filter((d) => d.user_id === id).sort((a, b) => `${a.what}${String(a.campaign_id)}`.localeCompare(`${b.what}${String(b.campaign_id)}`));
  t.same(of(user), [
    { user_id: user, campaign_id: first, what: "impressions", redis: "1", events: "2" },
    { user_id: user, campaign_id: first, what: "reactions", redis: "0", events: "1" },
    { user_id: user, campaign_id: null, what: "sessions", redis: "s1×7", events: "s1×3" },
    { user_id: user, campaign_id: third, what: "show times", redis: "", events: at },
  ]);
  t.same(of("phantom"), [{ user_id: "phantom", campaign_id: first, what: "impressions", redis: "3", events: "0" }]);
  t.equal(rest.fixed, 0);
  t.equal((await look(true)).fixed, rest.users_differing);
  t.match(await look(), { differences: 0 });
  t.match(await sheet.impression(user, first, "b"), { tag: "duplicate" }, "a mended record knows its reports");
  t.equal(await redis.exists(keys.record("phantom")), 0);
});
