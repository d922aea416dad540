/** What an explanation says, case by case; test/e2e/explain.test.ts holds it against decisions. */
import t from "tap";
import { type CandidateJson, type ExplanationJson, explanationToJson } from "../../dist/explanation.js";
import { explain } from "../../dist/redis/explain.js";
import { setStatus, updateCampaign } from "../../dist/store/campaign-changes.js";
import { campaignInput, startEngine } from "../helpers/engine.js";
import { aroundScripts } from "../helpers/evalsha.js";
import { Worksheet } from "../helpers/worksheet.js";

const HOUR = 3_600_000;
const engine = await startEngine(t);
const { redis, keys, store } = engine;
const sheet = new Worksheet(engine);
let user = 0;

/** A fresh user and a campaign alone, with these fields. */
async function alone(fields: Record<string, unknown>, userCaps = ""): Promise<{ id: number; user: string }> {
  for (const campaign of store.campaigns.list()) if (campaign.status === "active") setStatus(store, campaign.id, "ended", "test");
  store.settings.set("user_caps", userCaps);
  const id = engine.campaign(fields);
  await sheet.publish();
  return { id, user: String(++user) };
}

async function explained(userId: string, { session = null, at = engine.now }: { session?: string | null; at?: number } = {}): Promise<ExplanationJson> {
  return explanationToJson(await explain(redis, keys, { userId, sessionId: session, at, now: engine.now }));
}

const only = async (...ask: Parameters<typeof explained>): Promise<CandidateJson | undefined> => (await explained(...ask)).candidates[0];

t.test("nothing published, and a time long past", async (t) => {
  await t.rejects(explained("1"), { code: "unavailable", message: "nothing is published", hint: /popup sync/ });
  await sheet.publish();
  t.match(await explained("1"), { user_id: "1", at: "2026-06-10T12:00:00Z", version: sheet.version, recovering: false, decision: null, candidates: [] });
  await t.rejects(explained("1", { at: engine.now - 367 * 24 * HOUR }), { code: "invalid", field: "at" });
});

t.test("caps: each that has no room, what it counts, and when all of them have room again", async (t) => {
  store.settings.set("timezone", "Asia/Jakarta");
  const { id, user } = await alone({ caps: ["2/day", "2/3h", "9/total"] }, "1/30m,5/day");
  t.same(await only(user), {
    campaign_id: id,
    title: "Offer",
    status: "active",
    eligible: true,
    code: null,
    reason: null,
    next_eligible_at: null,
    part: null,
    caps: [],
  });
  await sheet.impression(user, id, "a");
  t.match(await only(user), {
    eligible: false,
    code: "user_cap",
    reason: "user_caps 1/30m: 1 shown",
    next_eligible_at: "2026-06-10T19:30:00.001+07:00",
    caps: [{ cap: "1/30m", of: "user_caps", shown: 1, held: 0 }],
  });
  engine.now += HOUR;
  await sheet.impression(user, id, "b");
  // 2/3h opens at 22:00, 1/30m at 20:30, the day at 24:00.
  t.match(await only(user), { code: "cap", reason: "2/day: 2 shown, 2/3h: 2 shown, user_caps 1/30m: 1 shown", next_eligible_at: "2026-06-11T00:00:00+07:00" });
  t.match(await explained(user, { at: Date.parse("2026-06-10T23:59:59.999+07:00") }), {
    decision: null,
    candidates: [{ code: "cap", reason: "2/day: 2 shown" }],
  });
  t.match(await explained(user, { at: Date.parse("2026-06-11T00:00+07:00") }), { decision: { campaign_id: id }, candidates: [{ eligible: true }] });
  updateCampaign(store, id, { end_time: "2026-06-11T00:00+07:00" });
  await sheet.publish();
  t.equal((await only(user))?.next_eligible_at, null, "it ends before it opens");
  store.settings.set("timezone", "UTC");
});

t.test("places that are held: until when, also where a rolling window opens meanwhile", async (t) => {
  const { id, user } = await alone({ caps: ["2/1h"], reserve: 3_600 });
  await sheet.impression(user, id, "a");
  engine.now += HOUR / 2;
  await sheet.select(user, null, "b");
  t.match(
    await only(user),
    { code: "held", reason: "2/1h: 1 shown and 1 held", next_eligible_at: "2026-06-10T14:00:00.001Z", caps: [{ shown: 1, held: 1 }] },
    "the show leaves the window before the place is given back",
  );
  const last = await alone({ caps: ["1/total"], reserve: 60 });
  await sheet.select(last.user, null, "c");
  t.match(await only(last.user), { code: "held", reason: "1/total: 0 shown and 1 held", next_eligible_at: "2026-06-10T13:31:00Z" });
  const many = await alone({ caps: ["100/1h"], reserve: 60 });
  for (let i = 0; i < 32; i++) await sheet.select(many.user, null, `c${i}`);
  t.match(await only(many.user), { code: "held", reason: "too many places are held", next_eligible_at: "2026-06-10T13:31:00Z", caps: [] });
});

t.test("sessions, clicks, times", async (t) => {
  const { id, user } = await alone({ caps: ["1/session"], stop_after: ["click", "dismiss"], start_time: "2026-06-10T10:00:00Z" });
  await sheet.impression(user, id, "a", "s1");
  t.match(await only(user, { session: "s1" }), { code: "cap", reason: "1/session: 1 shown", next_eligible_at: null });
  t.match(await only(user, { session: "s2" }), { eligible: true });
  t.match(await only(user), { eligible: true }, "without a session no session cap holds back");
  t.match(await only(user, { at: Date.parse("2026-06-10T09:00:00Z") }), {
    code: "not_started",
    reason: "starts 2026-06-10T10:00:00Z",
    next_eligible_at: "2026-06-10T10:00:00Z",
  });
  t.match(await only(user, { at: Date.parse("2040-01-01T00:00:00Z") }), { code: "ended", reason: "ended 2040-01-01T00:00:00Z", next_eligible_at: null });
  await sheet.reaction("dismiss", user, id, "a");
  t.match(await only(user), { code: "stopped", reason: "stopped by dismiss", next_eligible_at: null });
  t.match(await only(user, { at: Date.parse("2026-06-10T09:00:00Z") }), { code: "not_started", next_eligible_at: null }, "it will be stopped then");
});

t.test("what of a target the user fails", async (t) => {
  engine.audience({ kind: "segment", name: "payroll" }, ["77"]);
  engine.audience({ kind: "segment", name: "staff" }, ["77", "88"]);
  const cases: readonly (readonly [string, string, string])[] = [
    ["segment:payroll & !segment:staff", "!segment:staff", "in segment:staff, which it excludes"],
    ["users | !(all & segment:staff)", "users | !(all & segment:staff)", "not in target users | !(all & segment:staff)"],
    ["segment:staff & users", "users", "its user list is not loaded"],
    ["!all", "!all", "not in target !all"],
  ];
  for (const indexed of [false, true]) {
    for (const [target, part, reason] of cases) {
      await alone({ target });
      if (indexed) await engine.index();
      t.match(await only("77"), { code: "not_in_target", part, reason, next_eligible_at: null }, `${target}${indexed ? ", in the index" : ""}`);
    }
    await alone({ target: "segment:payroll & !segment:staff" });
    t.match(await only("88"), { part: "segment:payroll", reason: "not in segment:payroll" }, "the side that the walk ended in");
  }
  await alone({ target: "segment:payroll" });
  store.transaction(() => store.audiences.delete({ kind: "segment", name: "payroll" }, "test"));
  await sheet.publish();
  t.match(await only("77"), { code: "not_in_target", part: null, reason: "a segment of its target is gone" });
});

t.test("while counters are restored, campaigns without any limit are shown", async (t) => {
  const { id, user } = await alone({ priority: 1, caps: ["1/day"] });
  const open = engine.campaign();
  await sheet.publish();
  await redis.set(keys.verified, "another-server word");
  t.match(await explained(user), {
    recovering: true,
    decision: { campaign_id: open },
    candidates: [{ campaign_id: id, code: "recovering", reason: "counters are being restored", next_eligible_at: null }, { eligible: true }],
  });
  t.match(await explain(redis, keys, { userId: user, sessionId: null, at: engine.now, now: engine.now, trusting: true }), { recovering: false, decision: id });
  await engine.trust();
});

t.test("another list in the middle is read anew; a damaged record is told", async (t) => {
  const { user } = await alone({ caps: ["1/day"] });
  let changes = 0;
  const slow = aroundScripts(redis, async ({ run }) => {
    if (changes++ === 0) {
      engine.campaign(campaignInput({ title: "Newer", priority: 7 }));
      await engine.publish();
    }
    return run();
  });
  t.match(await explain(slow, keys, { userId: user, sessionId: null, at: engine.now, now: engine.now }), {
    candidates: [{ title: "Newer" }, { title: "Offer" }],
  });
  await redis.set(keys.record("broken"), "not a hash");
  await t.rejects(explained("broken"), { code: "unavailable", message: /WRONGTYPE/, hint: /reconcile --fix/ });
});

t.test("an API process explains as well", async (t) => {
  const { id, user } = await alone({ caps: ["1/session"] });
  await engine.api?.engine.refresh();
  await sheet.impression(user, id, "a", "s1");
  t.match(await engine.api?.engine.explain(user, "s1"), { userId: user, decision: null, candidates: [{ against: { kind: "capped" } }] });
  t.match(await engine.api?.engine.explain(user), { decision: id });
  t.match(await engine.api?.engine.explain(user, null, Date.parse("2041-01-01T00:00:00Z")), { decision: null, candidates: [{ against: { kind: "ended" } }] });
});
