/** The metric of impressions by campaign: whatever counts one, it is there once, and only active campaigns are. */
import t from "tap";
import { Exposition } from "../../dist/doctor/exposition.js";
import { startEngine } from "../helpers/engine.js";
import { until } from "../helpers/until.js";

t.test("reported, counted on serve, and late from the spool", async (t) => {
  const engine = await startEngine(t);
  const reported = engine.campaign({ title: "Reported", priority: 1, caps: ["3/total"], target: "users" });
  const served = engine.campaign({ title: "Served", count_on: "serve", caps: ["1/total"] });
  engine.audience({ kind: "users", campaignId: reported }, ["1", "2"]);
  await engine.publish();
  await engine.api?.engine.refresh();
  const told = async (): Promise<(string | number | undefined)[][]> =>
    new Exposition((await engine.api?.metrics.registry.metrics()) ?? "")
      .all("popup_impressions_total")
      .map(({ labels, value }) => [labels.campaign, value])
      .sort();
  const titles = async (): Promise<(string | undefined)[]> =>
    new Exposition((await engine.api?.metrics.registry.metrics()) ?? "").all("popup_campaign_info").map(({ labels }) => labels.title);
  t.same(await told(), []);
  t.same((await titles()).sort(), ["Reported", "Served"]);

  t.equal((await engine.popup("1"))?.campaign_id, reported, "shown, and not counted by that");
  for (const id of ["a", "a", "b"]) await engine.report("impression", reported, { user_id: "1", impression_id: id });
  await engine.report("click", reported, { user_id: "1", impression_id: "a" });
  t.equal((await engine.popup("9"))?.campaign_id, served);
  t.equal(await engine.popup("9"), null);
  t.same(await told(), [
    [String(reported), 2],
    [String(served), 1],
  ]);

  await engine.redis.del(engine.keys.verified);
  await until("counters are not trusted", () => engine.api?.engine.recovering);
  t.match((await engine.report("impression", reported, { user_id: "2", impression_id: "late" })).json, { spooled: true });
  t.same(
    await told(),
    [
      [String(reported), 2],
      [String(served), 1],
    ],
    "not counted yet",
  );
  await engine.trust();
  await until("it is replayed", async () => (await told())[0]?.[1] === 3);

  engine.store.campaigns.update(reported, { ...engine.store.campaigns.get(reported), status: "paused" }, "test");
  await engine.publish();
  await engine.api?.engine.refresh();
  t.same(await told(), [[String(served), 1]], "a campaign that is not active leaves");
  t.same(await titles(), ["Served"]);
});
