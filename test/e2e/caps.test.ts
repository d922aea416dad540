/** Counting under concurrency: however many reports and logins come at once, no cap is passed and no id counts twice. */
import t from "tap";
import { updateCampaign } from "../../dist/store/campaign-changes.js";
import { type Answer, startEngine } from "../helpers/engine.js";
import { reportAll } from "../helpers/stored.js";

const engine = await startEngine(t);

function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, json } of answers) {
    const { counted, reason } = (json ?? {}) as { counted?: boolean; reason?: string };
    const name = status === 202 ? (counted === true ? "counted" : String(reason)) : String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const many = <T>(times: number, work: (i: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: times }, (_, i) => work(i)));

t.test("200 reports at once against 3/total: three are counted", async (t) => {
  const id = engine.campaign({ caps: ["3/total"] });
  await engine.publish();
  const answers = await many(200, (i) => engine.report("impression", id, { user_id: "busy", impression_id: `r${i}` }));
  t.same(tally(answers), { counted: 3, capped: 197 });
  t.same(answers.flatMap(({ json }) => (json as { total?: number }).total ?? []).sort(), [1, 2, 3]);
  t.equal(await engine.popup("busy"), null);
  await engine.drain();
  t.match(reportAll(engine.store, id), [{ impressions: 3, users: 1, over_cap: 197 }], "and the report says so");
  updateCampaign(engine.store, id, { status: "ended" });
});

t.test("one id 50 times at once counts once, for each user", async (t) => {
  const id = engine.campaign();
  const other = engine.campaign({ priority: -1 });
  await engine.publish();
  t.same(tally(await many(50, () => engine.report("impression", id, { user_id: 7, impression_id: "same" }))), { counted: 1, duplicate: 49 });
  t.same(
    tally(await many(50, (i) => engine.report("impression", id, { user_id: `u${i}`, impression_id: "same" }))),
    { counted: 50 },
    "ids of different users are different",
  );
  t.same(
    tally([await engine.report("impression", other, { user_id: "7", impression_id: "same" })]),
    { duplicate: 1 },
    "an id names one showing, of whatever campaign",
  );
  t.same(tally(await many(5, () => engine.report("impression", id, { user_id: 7 }))), { counted: 5 }, "without an id there is nothing to know again");
  for (const each of [id, other]) updateCampaign(engine.store, each, { status: "ended" });
});

t.test("count_on serve: as many shows as the cap, however many logins at once", async (t) => {
  const id = engine.campaign({ count_on: "serve", caps: ["4/total"], priority: 1 });
  const next = engine.campaign({ priority: 0 });
  await engine.publish();
  const popups = await many(100, () => engine.popup("login"));
  const shown = popups.filter((popup) => popup?.campaign_id === id);
  t.equal(shown.length, 4);
  t.equal(popups.filter((popup) => popup?.campaign_id === next).length, 96, "the others see the next campaign");
  const reports = await Promise.all(shown.map((popup) => engine.report("impression", id, { user_id: "login", impression_id: popup?.impression_id })));
  t.same(tally(reports), { duplicate: 4 }, "what the decision counted is not counted again");
  await engine.drain();
  t.match(reportAll(engine.store, id), [{ impressions: 4, users: 1, over_cap: 0 }]);
  for (const each of [id, next]) updateCampaign(engine.store, each, { status: "ended" });
});

t.test("user_caps hold over all campaigns together, but not an exempt one, which counts towards them", async (t) => {
  engine.store.settings.set("user_caps", "3/day");
  const outage = engine.campaign({ priority: 9, exempt: true, caps: ["2/total"] });
  const offers = [engine.campaign({ priority: 3 }), engine.campaign({ priority: 2 })];
  await engine.publish();
  const seen = async (user: string): Promise<number | undefined> => (await engine.popup(user))?.campaign_id;
  const report = (campaign: number, user: string, id: string): Promise<Answer> => engine.report("impression", campaign, { user_id: user, impression_id: id });
  t.same(tally(await many(60, (i) => report(offers[i % 2] ?? 0, "p", `r${i}`))), { counted: 3, capped: 57 }, "three of both together");
  t.equal(await seen("p"), outage, "the notice is still shown");
  t.same(tally([await report(outage, "p", "n1")]), { counted: 1 });
  t.same(tally([await report(outage, "p", "n2"), await report(outage, "p", "n3")]), { counted: 1, capped: 1 }, "its own cap holds");
  t.equal(await seen("p"), undefined);

  t.same(tally([await report(outage, "q", "n1"), await report(outage, "q", "n2")]), { counted: 2 });
  t.equal(await seen("q"), offers[0]);
  t.same(tally(await many(5, (i) => report(offers[0] ?? 0, "q", `r${i}`))), { counted: 1, capped: 4 }, "two notices leave room for one offer");
  engine.store.settings.set("user_caps", "");
  await engine.publish();
  t.equal(await seen("q"), offers[0], "the policy taken back");
  for (const each of [outage, ...offers]) updateCampaign(engine.store, each, { status: "ended" });
});

t.test("stop_after: the chosen reaction ends the campaign for that user alone, and no other does", async (t) => {
  const id = engine.campaign({ stop_after: ["dismiss"], priority: 2 });
  const both = engine.campaign({ stop_after: ["click", "dismiss"], priority: 1 });
  const never = engine.campaign();
  await engine.publish();
  const seen = async (user: string): Promise<number | undefined> => (await engine.popup(user))?.campaign_id;
  const react = (type: string, campaign: number, user: string): Promise<Answer> =>
    engine.report(type, campaign, { user_id: user, impression_id: `${campaign}-${type}` });
  await react("click", id, "a");
  t.equal(await seen("a"), id, "a click does not stop what stops after a dismissal");
  await react("dismiss", id, "a");
  t.equal(await seen("a"), both);
  await react("click", both, "a");
  t.equal(await seen("a"), never);
  await react("dismiss", never, "a");
  t.equal(await seen("a"), never, "nothing stops this one");
  t.equal(await seen("b"), id, "another user is not concerned");
  engine.now += 300 * 86_400_000;
  t.equal(await seen("a"), never, "never means never");
  t.match(
    (await engine.report("impression", id, { user_id: "a", impression_id: "late" })).json,
    { counted: true },
    "a showing from before is counted all the same",
  );
});
