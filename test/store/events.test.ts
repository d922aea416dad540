import t from "tap";
import type { PopupEvent } from "../../dist/event.js";
import { openStore } from "../../dist/store/store.js";
import { testStore } from "../helpers/store.js";

const utc = (text: string): number => Date.parse(text);
let number = 0;
const event = (fields: Partial<PopupEvent> = {}): PopupEvent => ({
  type: "impression",
  campaignId: 1,
  userId: "7",
  impressionId: `i-${number++}`,
  at: utc("2026-06-10T12:00:00Z"),
  overCap: false,
  sessionId: null,
  ...fields,
});

t.test("an event that is there already changes nothing", async (t) => {
  const { store } = testStore(t);
  const first = event({ impressionId: "same", sessionId: "s-1" });
  t.equal(store.events.write([first, first]), 1);
  t.equal(store.events.write([{ ...first, at: 1, campaignId: 2, overCap: true }]), 0, "user, type and impression id make it the same");
  t.equal(
    store.events.write([
      { ...first, type: "click" },
      { ...first, userId: "8" },
      { ...first, impressionId: "other" },
    ]),
    3,
  );
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

t.test("the store knows how far each stream was written, and that never goes back", async (t) => {
  const { store, path } = testStore(t);
  const { events } = store;
  t.equal(events.mark("impressions"), null);
  const ids = ["999-5", "1000-9", "1000-10", "1000-2", "999-99", "9007199254740993-0", "9007199254740992-7"];
  const marks = ids.map((id) => (events.write([event()], [], [{ stream: "impressions", id }]), events.mark("impressions")));
  t.same(marks, ["999-5", "1000-9", "1000-10", "1000-10", "1000-10", "9007199254740993-0", "9007199254740993-0"]);
  t.equal(events.mark("bank1:impressions"), null, "another prefix is another stream");
  const broken = { ...event(), type: "nonsense" } as unknown as PopupEvent;
  t.throws(() => events.write([broken], [], [{ stream: "bank1:impressions", id: "1-0" }]));
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
