/** A draft is seen by its test users, and by nobody else. */
import t from "tap";
import { explain } from "../../dist/redis/explain.js";
import { setStatus, updateCampaign } from "../../dist/store/campaign-changes.js";
import { startEngine } from "../helpers/engine.js";
import { reportAll } from "../helpers/stored.js";

const engine = await startEngine(t);
const { redis, keys, store } = engine;
const open = engine.campaign({ title: "Open" });
engine.audience({ kind: "segment", name: "payroll" }, ["5"]);
const draft = engine.campaign({
  title: "Draft",
  status: "draft",
  priority: 9,
  target: "segment:payroll",
  caps: ["1/day"],
  start_time: "2030-01-01T00:00:00Z",
  end_time: "2031-01-01T00:00:00Z",
  test_users: ["1001", "anna"],
});
engine.campaign({ title: "Other draft", status: "draft", priority: 10, test_users: ["10010", "na"] });

const publish = async (): Promise<void> => {
  await engine.publish();
  await engine.api?.engine.refresh();
};
const sees = async (user: string): Promise<string | undefined> => (await engine.popup(user))?.title;
const explained = (user: string): ReturnType<typeof explain> => explain(redis, keys, { userId: user, sessionId: null, at: engine.now, now: engine.now });

t.test("its test users see it before its start, whatever its target; nobody else does", async (t) => {
  t.match(await engine.publish(), { campaigns: 1, audiences_sent: 0 }, "no draft is counted as live, and its audiences are not sent");
  await publish();
  t.same(await redis.zrange(keys.active, 0, "-1"), [String(open)]);
  for (const user of ["1001", "anna"]) t.equal(await sees(user), "Draft", user);
  for (const user of ["10010", "na"]) t.equal(await sees(user), "Other draft", user);
  for (const user of ["5", "100", "001", "01001", "ann", "nna", "1001.anna"]) t.equal(await sees(user), "Open", user);
  t.match(await explained("1001"), {
    decision: draft,
    candidates: [
      { campaignId: draft, draft: true, against: null },
      { campaignId: open, draft: false },
    ],
  });
  t.match(await explained("5"), { decision: open, candidates: [{ campaignId: open }] });
  t.equal((await explained("5")).candidates.length, 1, "others are not told of a draft");
});

t.test("caps hold, showings count, and both stand in the report", async (t) => {
  t.match((await engine.report("impression", draft, { user_id: "1001", impression_id: "a" })).json, { counted: true, total: 1 });
  t.equal(await sees("1001"), "Open", "its cap is closed");
  t.match(await explained("1001"), { decision: open, candidates: [{ campaignId: draft, against: { kind: "capped" } }, {}] });
  t.equal(await sees("anna"), "Draft");
  await engine.drain();
  t.match(reportAll(store, draft), [{ campaign_id: draft, impressions: 1, users: 1 }]);
});

t.test("who tests may change; after the end nobody does", async (t) => {
  updateCampaign(store, draft, { test_users: ["77"] });
  await publish();
  t.equal(await sees("anna"), "Open");
  t.equal(await sees("77"), "Draft");
  const now = engine.now;
  engine.at("2031-01-01T00:00:00Z");
  t.equal(await sees("77"), "Open");
  engine.now = now;
  updateCampaign(store, draft, { test_users: [] });
  await publish();
  t.equal(await sees("77"), "Open");
  t.equal((await engine.report("impression", draft, { user_id: "77", impression_id: "b" })).status, 404, "a draft without them is not published");
});

t.test("activated, its target and its start decide", async (t) => {
  updateCampaign(store, draft, { test_users: ["77"] });
  setStatus(store, draft, "active", "test");
  await publish();
  t.equal(await sees("77"), "Open");
  engine.at("2030-06-01T00:00:00Z");
  t.equal(await sees("77"), "Open");
  t.equal(await sees("5"), "Draft");
});

t.test("a draft that counts on serve, or holds places, costs only its test users the writing", async (t) => {
  const serve = engine.campaign({ title: "Served", status: "draft", priority: 99, count_on: "serve", caps: ["1/total"], test_users: ["88"] });
  await publish();
  t.equal(JSON.parse((await redis.get(keys.manifest)) ?? "{}").serves, false);
  t.equal(await sees("88"), "Served");
  t.equal(await redis.hget(keys.record("88"), String(serve)), "1");
  t.equal(await sees("88"), "Open");
});
