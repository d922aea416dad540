/** The whole loop over HTTP: decided, counted, capped, stopped, reported. */
import t from "tap";
import { startEngine } from "../helpers/engine.js";
import { reportAll } from "../helpers/stored.js";

const engine = await startEngine(t);

t.test("a popup is decided, counted once, capped, and stands in the report", async (t) => {
  const id = engine.campaign({ title: "First", priority: 10, caps: ["1/day", "3/total"] });
  await engine.publish();
  const shown = await engine.popup("1001");
  t.match(shown, { campaign_id: id, title: "First", body: null, image_url: "https://bank.example/offer.png", action_url: "bankapp:offers/1" });
  const body = { user_id: 1001, impression_id: shown?.impression_id };
  t.match(await engine.report("impression", id, body), { status: 202, text: '{"counted":true,"total":1}' });
  t.match(await engine.report("impression", id, body), { status: 202, text: '{"counted":false,"reason":"duplicate"}' }, "a retry is not counted");
  t.match(await engine.report("impression", id, { user_id: "1001", impression_id: "other" }), { status: 202, text: '{"counted":false,"reason":"capped"}' });
  t.equal(await engine.popup("1001"), null, "1/day is closed");
  engine.at("2026-06-11T00:00:00Z");
  t.match(await engine.popup("1001"), { campaign_id: id }, "and open on the next day");
  t.match(await engine.report("click", id, { user_id: 1001, impression_id: shown?.impression_id }), { status: 202, text: '{"recorded":true}' });
  await engine.drain();
  t.match(reportAll(engine.store, id), [{ campaign_id: id, impressions: 1, users: 1, clicks: 1, dismissals: 0, over_cap: 1 }]);
});
