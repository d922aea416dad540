import t from "tap";
import type { PopupEvent } from "../../dist/event.js";
import { createCampaign } from "../../dist/store/campaign-changes.js";
import { openStore } from "../../dist/store/store.js";
import { campaignInput } from "../helpers/engine.js";
import { testStore } from "../helpers/store.js";

const ALWAYS = [0, Number.MAX_SAFE_INTEGER] as const;
const utc = (text: string): number => Date.parse(text);
let number = 0;
const event = (fields: Partial<PopupEvent> = {}): PopupEvent => ({
  type: "impression", campaignId: 1, userId: "7", impressionId: `i-${number++}`, at: utc("2026-06-10T12:00:00Z"), overCap: false, sessionId: null, ...fields,
});

t.test("an event that is there already changes nothing", async (t) => {
  const { store } = testStore(t);
  const first = event({ impressionId: "same", sessionId: "s-1" });
  t.equal(store.events.write([first, first]), 1);
  t.equal(store.events.write([{ ...first, at: 1, campaignId: 2, overCap: true }]), 0, "user, type and impression id make it the same");
  t.equal(store.events.write([{ ...first, type: "click" }, { ...first, userId: "8" }, { ...first, impressionId: "other" }]), 3);
  t.equal(store.events.write([]), 0);
  t.same(store.events.ofUser("7"), [first, { ...first, type: "click" }, { ...first, impressionId: "other" }], "and comes back as it was");
  t.same(store.events.userIds().sort(), ["7", "8"]);
  t.same(store.events.ofUser("nobody"), []);
});

t.test("events of a user come oldest first", async (t) => {
  const { store } = testStore(t);
  const times = [5, 3, 4, 3].map((at) => event({ at }));
  store.events.write(times);
  t.same(store.events.ofUser("7"), [times[1], times[3], times[2], times[0]]);
});

t.test("the report counts showings, people, reactions and what was over a cap", async (t) => {
  const { store } = testStore(t);
  const { id } = createCampaign(store, campaignInput({ title: "First" }));
  const { id: quiet } = createCampaign(store, campaignInput({ title: "Quiet" }));
  const mine = (fields: Partial<PopupEvent>): PopupEvent => event({ campaignId: id, ...fields });
  store.events.write([
    mine({}), mine({}), mine({ userId: "8" }), mine({ userId: "9", overCap: true }), mine({ type: "click" }), mine({ type: "dismiss", userId: "8" }), mine({ type: "dismiss", userId: "9" }),
    event({ campaignId: 77 }),
  ]);
  const none = { impressions: 0, users: 0, clicks: 0, dismissals: 0, over_cap: 0 };
  const totals = { impressions: 3, users: 2, clicks: 1, dismissals: 2, over_cap: 1 };
  const gone = { impressions: 1, users: 1, clicks: 0, dismissals: 0, over_cap: 0 };
  t.same(store.events.report(null, ...ALWAYS, "UTC"), [
    { campaign_id: id, title: "First", ...totals, days: [{ day: "2026-06-10", ...totals }] },
    { campaign_id: quiet, title: "Quiet", ...none, days: [] },
    { campaign_id: 77, title: "(deleted)", ...gone, days: [{ day: "2026-06-10", ...gone }] },
  ]);
  t.match(store.events.report(quiet, ...ALWAYS, "UTC"), [{ campaign_id: quiet }]);
  t.same(store.events.report(99, ...ALWAYS, "UTC"), []);
});

t.test("from is inside, to is not", async (t) => {
  const { store } = testStore(t);
  store.events.write([event({ at: 999 }), event({ at: 1_000 }), event({ at: 1_999 }), event({ at: 2_000 })]);
  t.match(store.events.report(1, 1_000, 2_000, "UTC"), [{ impressions: 2, days: [{ impressions: 2 }] }]);
  t.match(store.events.report(1, 5_000, 6_000, "UTC"), [{ impressions: 0, users: 0, days: [] }]);
});

t.test("days are those of the zone, daylight saving included", async (t) => {
  const { store } = testStore(t);
  store.events.write(["2026-06-10T16:59:59Z", "2026-06-10T17:00:00Z", "2026-06-11T16:59:59Z"].map((time) => event({ at: utc(time) })));
  const days = (id: number, zone: string): unknown => store.events.report(id, ...ALWAYS, zone)[0]?.days.map(({ day, impressions }) => [day, impressions]);
  t.same(days(1, "Asia/Jakarta"), [["2026-06-10", 1], ["2026-06-11", 2]]);
  t.same(days(1, "UTC"), [["2026-06-10", 2], ["2026-06-11", 1]]);
  // The 25 hours of 2026-10-25 in Berlin, and the moments before and after.
  store.events.write(["2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"].map((time) => event({ campaignId: 2, at: utc(time) })));
  t.same(days(2, "Europe/Berlin"), [["2026-10-24", 1], ["2026-10-25", 2], ["2026-10-26", 1]]);
});

t.test("the store knows how far each stream was written, and that never goes back", async (t) => {
  const { store, path } = testStore(t);
  const { events } = store;
  t.equal(events.mark("impressions"), null);
  const ids = ["999-5", "1000-9", "1000-10", "1000-2", "999-99", "9007199254740993-0", "9007199254740992-7"];
  const marks = ids.map((id) => (events.write([event()], [], { stream: "impressions", id }), events.mark("impressions")));
  t.same(marks, ["999-5", "1000-9", "1000-10", "1000-10", "1000-10", "9007199254740993-0", "9007199254740993-0"]);
  t.equal(events.mark("bank1:impressions"), null, "another prefix is another stream");
  const broken = { ...event(), type: "nonsense" } as unknown as PopupEvent;
  t.throws(() => events.write([broken], [], { stream: "bank1:impressions", id: "1-0" }));
  t.equal(events.mark("bank1:impressions"), null, "a batch that was not written moves nothing");
  const again = openStore(path, { actor: "x" });
  t.teardown(() => again.close());
  t.equal(again.events.mark("impressions"), "9007199254740993-0");
});

t.test("a batch is one transaction; what is no event is set aside once", async (t) => {
  const { store, path } = testStore(t);
  const broken = { ...event(), type: "nonsense" } as unknown as PopupEvent;
  t.throws(() => store.events.write([event(), broken]), /CHECK constraint/);
  t.same(store.events.userIds(), [], "nothing of the batch is there");
  const dead = { streamId: "1-1", reason: "no user", fields: ["a", "b"] };
  t.equal(store.events.write([event()], [dead]), 1);
  t.equal(store.events.write([], [dead, dead]), 0);
  const { default: Database } = await import("better-sqlite3");
  const db = new Database(path, { readonly: true });
  t.teardown(() => db.close());
  t.same(db.prepare("SELECT * FROM dead_events").all(), [{ stream_id: "1-1", reason: "no user", fields: '["a","b"]' }]);
});
