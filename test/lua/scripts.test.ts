/** The scripts by themselves: every reply, the event beside it, the record's expiry, and the keys they touch. */
import t from "tap";
import { type ReportAsk, report, select } from "../../dist/redis/decisions.js";
import { decodeReply, SCRIPT_NAMES, Script } from "../../dist/redis/script.js";
import { setStatus, updateCampaign } from "../../dist/store/campaign-changes.js";
import { startEngine } from "../helpers/engine.js";
import { reportAll, Worksheet } from "../helpers/worksheet.js";

const DAY = 86_400_000;
const engine = await startEngine(t, { http: false });
const { redis, keys } = engine;
const sheet = new Worksheet(engine);

t.test("before anything is published every script of the customer's path says so", async (t) => {
  t.same(await sheet.select("1"), { tag: "unpublished" });
  t.same(await sheet.impression("1", 1, "a"), { tag: "unpublished" });
  t.same(await sheet.reaction("click", "1", 1, "a"), { tag: "unpublished" });
  t.same(await redis.keys("*"), [keys.verified], "and writes nothing");
  await redis.set(keys.list, "another form altogether, longer than a header of the list would be");
  t.same(await sheet.select("1"), { tag: "unpublished" }, "a list in a form that is not known is none");
});

const id = engine.campaign({ caps: ["2/day", "3/total"], stop_after: ["click"], end_time: "2026-07-01T00:00:00Z" });

t.test("show, counted, duplicate, capped, recorded, unknown, none, stale", async (t) => {
  await sheet.publish();
  t.same(await sheet.select("1"), { tag: "show", campaignId: id });
  t.equal(await redis.exists(keys.record("1"), keys.stream), 0, "a decision writes nothing");
  t.same(await sheet.impression("1", id, "a", "s1"), { tag: "counted", total: 1 });
  t.same(await sheet.impression("1", id, "a"), { tag: "duplicate" });
  t.same(await sheet.impression("1", id, "b"), { tag: "counted", total: 2 });
  t.same(await sheet.impression("1", id, "c"), { tag: "capped" });
  t.same(await sheet.impression("1", id, "c"), { tag: "duplicate" }, "one over the cap is remembered as well");
  t.same(await sheet.select("1"), { tag: "none" });
  t.same(await sheet.reaction("click", "1", id, "a"), { tag: "recorded" }, "ids of clicks are apart from those of impressions");
  t.same(await sheet.reaction("click", "1", id, "a"), { tag: "duplicate" });
  t.same(await sheet.reaction("dismiss", "1", id, "a"), { tag: "recorded" });
  t.same(await sheet.impression("1", 4_294_967_295, "d"), { tag: "unknown" });
  t.same(await sheet.reaction("click", "1", 4_294_967_295, "d"), { tag: "unknown" });
  engine.now += DAY;
  t.same(await sheet.select("1"), { tag: "none" }, "clicked: stopped for good");
  const event = { campaign: String(id), user: "1", session: "", at: String(engine.now - DAY), over_cap: "0" };
  t.same(
    await sheet.events(),
    [
      { ...event, type: "impression", id: "a", session: "s1" },
      { ...event, type: "impression", id: "b" },
      { ...event, type: "impression", id: "c", over_cap: "1" },
      { ...event, type: "click", id: "a" },
      { ...event, type: "dismiss", id: "a" },
    ],
    "an event for each that was taken, none for the others",
  );
  const old = sheet.version;
  await engine.publish(true);
  const before = await redis.dump(keys.record("1"));
  t.same(await sheet.select("1"), { tag: "stale" });
  t.same(await sheet.impression("1", id, "e"), { tag: "stale" });
  t.same(await sheet.reaction("click", "1", id, "e"), { tag: "stale" });
  t.same(await redis.dump(keys.record("1")), before, "a stale question changes nothing");
  await sheet.publish();
  t.not(sheet.version, old);
});

t.test("an id is known again exactly, for a day, and then leaves the record", async (t) => {
  const open = engine.campaign({ priority: -9 });
  await sheet.publish();
  const take = (name: string): Promise<unknown> => sheet.impression("ids", open, name);
  const uuid = "01a208f5-18c6-70b9-acdb-4c73134f402b";
  const names = [
    uuid,
    uuid.toUpperCase(),
    `${uuid.slice(0, -1)}g`,
    uuid.replaceAll("-", ""),
    uuid.replace("-", "."),
    `${uuid}.`,
    uuid.slice(0, -1),
    "a",
    "A".repeat(64),
    "-",
    "aBx",
  ];
  for (const [i, name] of names.entries()) t.same(await take(name), { tag: "counted", total: i + 1 }, name);
  for (const name of names) t.same(await take(name), { tag: "duplicate" }, name);
  // Its entry's bytes, Bx, stand within those of aBx.
  t.same(await sheet.reaction("click", "ids", open, "x"), { tag: "recorded" });
  t.same(await sheet.reaction("click", "ids", open, "x"), { tag: "duplicate" });
  const size = async (): Promise<number> => (await redis.hgetBuffer(keys.record("ids"), "r"))?.length ?? 0;
  t.equal(
    await size(),
    [...names, "x"].reduce((bytes, name) => bytes + 4 + (name === uuid ? 16 : name.length), 0),
    "a UUID takes 16 bytes",
  );
  engine.now += DAY;
  t.same(await take(uuid), { tag: "duplicate" }, "a day later");
  engine.now += 61_000;
  t.same(await take("new"), { tag: "counted", total: names.length + 1 });
  t.equal(await size(), 4 + "new".length, "after it they leave with the next report");
  engine.now -= 3_600_000;
  await take("behind");
  t.equal(await size(), 8 + "newbehind".length, "a clock that is behind drops nothing that is newer");
  for (let i = 0; i < 500; i++) await take(`01a208f5-18c6-70b9-acdb-${String(i).padStart(12, "0")}`);
  t.ok((await size()) <= 8_192, "and there are never more than fit");
  t.same(await take("01a208f5-18c6-70b9-acdb-000000000499"), { tag: "duplicate" });
  engine.now += 3_600_000;
  setStatus(engine.store, open, "ended", "test");
});

t.test("one user's broken keys are that user's trouble alone", async (t) => {
  const capped = engine.campaign({ priority: 9, caps: ["9/total"] });
  await sheet.publish();
  await redis.set(keys.record("broken"), "not a hash");
  const ask = (userId: string): { userId: string; sessionId: null; impressionId: string } => ({ userId, sessionId: null, impressionId: "i" });
  const decided = await select(redis, keys, sheet.live, sheet.windows, ["fine", "broken", "well"].map(ask));
  t.match(decided, { tag: "decided", answers: [capped, { code: "internal", message: /lua\/select.*WRONGTYPE/ }, capped] });
  const before = (await sheet.events()).length;
  const taken = await report(
    redis,
    keys,
    sheet.version,
    sheet.windows,
    ["fine", "broken", "well"].map((user) => ({ ...ask(user), type: "impression" as const, campaignId: capped })),
  );
  t.match(taken, { tag: "taken", answers: [1, { code: "internal", message: /lua\/report.*WRONGTYPE/ }, 1] });
  t.equal((await sheet.events()).length, before + 2, "and has no event without a count");
  await redis.rename(keys.stream, "elsewhere");
  await redis.set(keys.stream, "not a stream");
  await t.rejects(report(redis, keys, sheet.version, sheet.windows, [{ ...ask("later"), type: "impression", campaignId: capped }]), /WRONGTYPE/);
  t.equal(await redis.exists(keys.record("later")), 0, "no count without its event");
  await redis.rename("elsewhere", keys.stream);
  setStatus(engine.store, capped, "ended", "test");
});

t.test("reports of one call are taken one after another, with one entry for their events", async (t) => {
  const open = engine.campaign({ priority: -9, caps: ["2/total"], stop_after: ["click"] });
  await sheet.publish();
  const entries = await redis.xlen(keys.stream);
  const ask = (type: "impression" | "click", impressionId: string): ReportAsk => ({ type, campaignId: open, userId: "same", impressionId, sessionId: null });
  const asks = [ask("impression", "a"), ask("impression", "a"), ask("impression", "b"), ask("impression", "c"), ask("click", "a"), ask("click", "a")];
  t.match(await report(redis, keys, sheet.version, sheet.windows, asks), { answers: [1, "duplicate", 2, "capped", "recorded", "duplicate"] });
  t.equal(await redis.xlen(keys.stream), entries + 1);
  t.same(
    (await sheet.events()).slice(-4).map(({ type, id, over_cap }) => [type, id, over_cap]),
    [
      ["impression", "a", "0"],
      ["impression", "b", "0"],
      ["impression", "c", "1"],
      ["click", "a", "0"],
    ],
  );
  t.match(await redis.hgetall(keys.record("same")), { [String(open)]: "2", [`x${open}`]: "1" });
  t.match(await report(redis, keys, sheet.version, sheet.windows, [ask("impression", "a"), ask("click", "a")]), { answers: ["duplicate", "duplicate"] });
  t.equal(await redis.xlen(keys.stream), entries + 1, "no entry without an event");
  setStatus(engine.store, open, "ended", "test");
});

t.test("count_on serve: the decision counts, with its event", async (t) => {
  const served = engine.campaign({ priority: 5, count_on: "serve", caps: ["1/session"] });
  await sheet.publish();
  t.same(await sheet.select("served", "s1", "x1"), { tag: "show", campaignId: served });
  t.match((await sheet.events()).at(-1), { type: "impression", campaign: String(served), user: "served", id: "x1", over_cap: "0", session: "s1" });
  t.same(await sheet.impression("served", served, "x1", "s1"), { tag: "duplicate" });
  t.same(await sheet.select("served", "s1", "x2"), { tag: "show", campaignId: id }, "the session's place is taken");
  t.same(await sheet.impression("served", served, "x3", "s2"), { tag: "counted", total: 2 });
  setStatus(engine.store, served, "ended", "test");
});

t.test("a record's expiry is extended and never shortened", async (t) => {
  const short = engine.campaign({ caps: ["1/30s"] });
  const month = engine.campaign({ caps: ["1/month"] });
  await sheet.publish();
  const ttl = (user: string): Promise<number> => redis.pttl(keys.record(user));
  await sheet.impression("short", short, "a");
  t.ok(Math.abs((await ttl("short")) - DAY) < 60_000, "ids are known for a day, so no record goes sooner");
  await sheet.impression("short", month, "b");
  const long = await ttl("short");
  t.ok(Math.abs(long - (31 * DAY + 7_200_000)) < 60_000, "a month's cap needs a month, however long it is");
  await sheet.impression("short", short, "c");
  t.ok((await ttl("short")) > long - 60_000, "a later report that needs less leaves it");
  await sheet.impression("total", id, "a");
  t.ok(
    Math.abs((await ttl("total")) - (Date.parse("2026-07-01T00:00:00Z") - engine.now + 7 * DAY)) < 60_000,
    "a total cap needs the campaign's life, and the week of late reports",
  );
});

t.test("the fields of campaigns that are long over leave the record when it is written", async (t) => {
  const over = engine.campaign({ caps: ["1/day", "5/session", "9/total"], end_time: new Date(engine.now + DAY).toISOString() });
  const stays = engine.campaign({ caps: ["3/day"] });
  await sheet.publish();
  await sheet.impression("fields", over, "a", "s1");
  await sheet.reaction("click", "fields", over, "a");
  await sheet.impression("fields too", over, "a");
  const own = [String(over), `t${over}`, `s${over}`, `x${over}`];
  const fields = async (): Promise<string[]> => (await redis.hkeys(keys.record("fields"))).filter((name) => own.includes(name)).sort();
  t.same(await fields(), own.sort());
  engine.now += 7 * DAY;
  await sheet.publish();
  await sheet.impression("fields", stays, "b");
  t.same(await fields(), own, "a report may still come late");
  engine.now += DAY;
  await sheet.publish();
  await sheet.select("fields");
  t.same(await fields(), own, "a decision that counts nothing writes nothing");
  const asks = ["fields", "fields too"].map((userId) => ({ type: "impression" as const, campaignId: stays, userId, impressionId: "c", sessionId: null }));
  await reportAll(redis, keys, sheet.version, sheet.windows, asks);
  t.same(await fields(), []);
  t.same((await redis.hkeys(keys.record("fields too"))).sort(), [String(stays), "r", `t${stays}`].sort(), "each user of the call");
  t.equal(await redis.hget(keys.record("fields"), String(stays)), "2");
  t.same(await sheet.impression("fields", over, "d"), { tag: "unknown" });
});

t.test("a server that lost the scripts gets them again", async (t) => {
  for (const name of SCRIPT_NAMES)
    t.equal(new Script(name).sha, await redis.script("LOAD", new Script(name).source), `${name} has the digest that Redis gives it`);
  await redis.script("FLUSH");
  t.match(await sheet.select("flushed"), { tag: "show" });
  await redis.script("FLUSH");
  t.same(await sheet.impression("flushed", id, "a"), { tag: "counted", total: 1 });
  await redis.script("FLUSH");
  t.same(await sheet.reaction("dismiss", "flushed", id, "a"), { tag: "recorded" });
  await redis.script("FLUSH");
  t.equal((await sheet.events()).filter((event) => event.user === "flushed").length, 2, "nothing ran twice");
  updateCampaign(engine.store, id, { title: "Anew" });
  await sheet.publish();
  t.match(await sheet.select("flushed"), { tag: "show" }, "publish too");
});

t.test("a reply in no known shape is a fault that names its script", async (t) => {
  for (const reply of [null, "show", [], ["shown"], 7])
    t.throws(() => decodeReply("select", reply, ["show", "none"]), { code: "internal", message: /lua\/select\.lua answered/ });
  t.same(decodeReply("select", ["show", 7], ["show", "none"]), { tag: "show", values: [7] });
  t.throws(() => decodeReply("select", ["decided", 7], ["decided", "stale"], 2), { code: "internal" }, "an answer for each who asked, no more and no fewer");
  t.same(decodeReply("select", ["stale"], ["decided", "stale"], 2), { tag: "stale", values: [] });
});
