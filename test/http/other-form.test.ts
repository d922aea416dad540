/** A list that another version of the engine has published: this one is not ready, and keeps reports until it can read it. */
import t from "tap";
import { startEngine } from "../helpers/engine.js";
import { until } from "../helpers/until.js";

t.test("a form of the list that it does not know", async (t) => {
  const engine = await startEngine(t);
  const id = engine.campaign();
  await engine.publish();
  const status = async (): Promise<number> => (await engine.request("/readyz")).status;
  await until("it is ready", async () => (await status()) === 200);
  const { list, manifest, version } = engine.keys;
  const next = "20300101T000000Z-1234567";
  await engine.redis.mset(list, `PLv9${next}`, manifest, JSON.stringify({ form: "PLv9", version: next }), version, next);
  await until("it is not ready any more", async () => (await status()) === 503);
  const answer = await engine.request("/v1/campaigns/popup?user_id=1");
  t.equal(answer.status, 204);
  t.ok(answer.headers.has("popup-degraded"));
  const report = { user_id: "1", impression_id: "a" };
  t.match(await engine.report("impression", id, report), { status: 202, json: { counted: null, spooled: true } });
  await engine.publish(true);
  await until("it is ready again", async () => (await status()) === 200);
  await until("the report is counted", async () => ((await engine.report("impression", id, report)).json as { reason?: string }).reason === "duplicate");
});
