/** A campaign given a later end: the counts of those who saw it before live on. */
import t from "tap";
import { updateCampaign } from "../../dist/store/campaign-changes.js";
import { startEngine } from "../helpers/engine.js";

const DAY_S = 86_400;

t.test("records live to the new end, whether their events are stored or still in the stream", async (t) => {
  const engine = await startEngine(t);
  engine.at("2026-06-10T12:00:00Z");
  const id = engine.campaign({ caps: ["1/total"], end_time: "2026-06-20T12:00:00Z" });
  const other = engine.campaign({ caps: ["1/total"], end_time: "2026-06-12T12:00:00Z", priority: -1 });
  await engine.publish();
  await engine.report("impression", id, { user_id: "stored", impression_id: "a" });
  await engine.drain();
  await engine.report("impression", id, { user_id: "waiting", impression_id: "b" });
  await engine.report("impression", other, { user_id: "elsewhere", impression_id: "c" });
  const days = async (user: string): Promise<number> => Math.round((await engine.redis.ttl(engine.keys.record(user))) / DAY_S);
  t.strictSame([await days("stored"), await days("waiting"), await days("elsewhere")], [17, 17, 9], "the end and the 7 days of late reports");
  updateCampaign(engine.store, id, { end_time: "2026-12-07T12:00:00Z" });
  await engine.publish();
  t.strictSame([await days("stored"), await days("waiting"), await days("elsewhere")], [187, 187, 9]);
  updateCampaign(engine.store, id, { end_time: "2026-06-15T12:00:00Z" });
  await engine.publish();
  t.equal(await days("stored"), 187, "an earlier end shortens nothing");
});
