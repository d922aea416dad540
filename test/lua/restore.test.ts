/** Records lost with Redis are rebuilt from the events: the same as they were, with what came meanwhile. */
import t from "tap";
import { restorePartitions } from "../../dist/sync/restore.js";
import { startEngine } from "../helpers/engine.js";
import { aroundScripts } from "../helpers/evalsha.js";
import { Random, seedOfRun } from "../helpers/random.js";
import { Worksheet } from "../helpers/worksheet.js";

const DAY = 86_400_000;
const engine = await startEngine(t, { http: false });
const { redis, keys, store } = engine;
const sheet = new Worksheet(engine);
const USERS = ["1", "2", "007", "anna@bank", "4294967295"];

store.settings.set("user_caps", "40/month,30/7d,500/total,20/session");
const campaigns = [
  engine.campaign({ caps: ["3/day", "9/total"], stop_after: ["click"] }),
  engine.campaign({ caps: ["2/session", "5/7d"], count_on: "serve" }),
  engine.campaign({ exempt: true }),
  engine.campaign({ caps: ["4/month"], end_time: new Date(engine.now + DAY / 2).toISOString() }),
];

/** Each user's record as fields and values. */
async function records(): Promise<Record<string, Record<string, string>>> {
  const found: Record<string, Record<string, string>> = {};
  for (const user of USERS) {
    const fields = await redis.hgetallBuffer(keys.record(user));
    found[user] = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.toString("latin1")]));
  }
  return found;
}

async function lose(): Promise<void> {
  for (const user of USERS) await redis.del(keys.record(user));
}

const restore = (progress?: (done: number, of: number) => void): Promise<number> =>
  restorePartitions(store, redis, [keys], engine.now, progress ? { progress } : {});

let ids = 0;
async function traffic(random: Random, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) {
    // No two events at one instant: their order in the store is that of their times.
    engine.now += random.between(1, 300_000);
    const user = random.pick(USERS);
    const session = random.chance(0.5) ? `s${random.between(1, 3)}` : null;
    const campaign = random.pick(campaigns);
    const id = `i${++ids}`;
    if (random.chance(0.3)) await sheet.select(user, session, id);
    else if (random.chance(0.7)) await sheet.impression(user, campaign, id, session);
    else await sheet.reaction(random.pick(["click", "dismiss"] as const), user, campaign, id, session);
  }
}

t.test("wiped records come back as they were, from the store and from the stream", async (t) => {
  const random = new Random(seedOfRun());
  t.comment(`seed ${random.seed}`);
  await sheet.publish();
  await traffic(random, 100);
  await engine.drain();
  await traffic(random, 60);
  const before = await records();
  t.match(before, { "1": { t: /./, n: /./, s: /./, r: /./ } });
  await lose();
  const steps: [number, number][] = [];
  t.equal(await restore((done, of) => steps.push([done, of])), USERS.length);
  t.same(steps.at(-1), [USERS.length, USERS.length], "and tells how far it is");
  t.same(await records(), before);
  t.ok((await redis.pttl(keys.record("1"))) > 30 * DAY, "with an expiry");
  await restore();
  t.same(await records(), before, "restoring what is not lost changes nothing");
});

t.test("reports that arrive while it restores are neither lost nor counted twice", async (t) => {
  const [first = 0] = campaigns;
  const [, , exempt = 0] = campaigns;
  engine.now += 2 * DAY;
  await sheet.publish();
  await engine.drain();
  const count = async (user: string): Promise<number> => Number(await redis.hget(keys.record(user), String(exempt)));
  const before = new Map<string, number>();
  for (const user of USERS) before.set(user, await count(user));
  await lose();
  // One report after the reading of the stream and before the user's record is made anew, one right after that.
  const busy = aroundScripts(redis, async ({ keys: [, record], run }) => {
    const user = USERS.find((each) => keys.record(each) === record) ?? "";
    await sheet.impression(user, exempt, "before");
    const reply = await run();
    await sheet.impression(user, exempt, "after");
    return reply;
  });
  await restorePartitions(store, busy, [keys], engine.now);
  for (const user of USERS) t.equal(await count(user), (before.get(user) ?? 0) + 2, `${user} has both of them`);
  for (const id of ["before", "after"]) t.same(await sheet.impression("1", exempt, id), { tag: "duplicate" }, "and knows it again");
  const live = await records();
  await restore();
  for (const user of USERS) {
    t.equal(live[user]?.n, (await records())[user]?.n, `${user}: the policy's count is the same restored`);
    t.equal(live[user]?.[String(first)], (await records())[user]?.[String(first)]);
  }
});

t.test("the policy still counts the showings of campaigns that are long over", async (t) => {
  const over = campaigns[3] ?? 0;
  const before = await records();
  engine.now += 8 * DAY;
  await sheet.publish();
  await sheet.impression("1", campaigns[2] ?? 0, "late", null);
  const live = (await records())["1"];
  t.notHas(live, { [String(over)]: /./ }, "its own count has left the record");
  await lose();
  await restore();
  const back = await records();
  for (const field of ["n", "t", String(campaigns[0]), String(campaigns[2])]) t.equal(back["1"]?.[field], live?.[field], `field ${field} of 1`);
  for (const user of USERS.slice(1)) t.equal(back[user]?.n, before[user]?.n, `the policy's count of ${user}`);
});

t.test("publishes in the middle do no harm; without a list it ends, with what to do", async (t) => {
  const before = await records();
  await lose();
  let published = 0;
  const busy = aroundScripts(redis, async ({ keys: [, record], run }) => {
    if (record === keys.record("2") && published++ === 0) await engine.publish(true);
    return run();
  });
  await restorePartitions(store, busy, [keys], engine.now);
  t.ok(published > 1, "the list that came in between was taken up");
  t.same(Object.keys(await records()), Object.keys(before));
  for (const user of USERS) t.equal((await records())[user]?.n, before[user]?.n, user);
  const list = await redis.getBuffer(keys.list);
  await redis.del(keys.list);
  await t.rejects(restore(), { code: "conflict", hint: /popup sync/ });
  if (list) await redis.set(keys.list, list);
});
