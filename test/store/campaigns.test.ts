import t from "tap";
import { IdSet } from "../../dist/id-set.js";
import { createCampaign, deleteCampaign, importCampaigns, setStatus, updateCampaign } from "../../dist/store/campaign-changes.js";
import { campaignInput } from "../helpers/engine.js";
import { refused } from "../helpers/refused.js";
import { testStore } from "../helpers/store.js";

const ids = (...members: string[]): IdSet => {
  const set = new IdSet();
  for (const id of members) set.add(id);
  return set;
};

t.test("every change stands in the audit log: who, when, what, before, after", async (t) => {
  const at = testStore(t);
  const { store } = at;
  const written = {
    title: "Offer",
    body: null,
    image_url: "https://bank.example/offer.png",
    action_url: "bankapp:offers/1",
    priority: 0,
    target: "all",
    caps: ["1/day"],
    start_time: "2020-01-01T00:00:00.000Z",
    end_time: "2040-01-01T00:00:00.000Z",
    status: "draft",
    count_on: "impression",
    stop_after: [],
    exempt: false,
    reserve: null,
    test_users: [],
  };
  const { id } = createCampaign(store, campaignInput({ status: "draft", caps: ["1/day"] }));
  at.now += 1_000;
  updateCampaign(store, id, { title: "New", caps: [] });
  at.now += 1_000;
  setStatus(store, id, "active", "campaign.activate");
  setStatus(store, id, "ended", "campaign.end");
  store.transaction(() => store.audiences.replace({ kind: "users", campaignId: id }, ids("7", "x"), "set", "users.load"));
  deleteCampaign(store, id);
  const first = Date.parse("2026-06-10T12:00:00Z");
  const subject = `campaign:${id}`;
  const updated = { id, ...written, title: "New", caps: [] };
  const list = { ids: 2, encoding: "set", revision: /^[0-9a-f-]{36}$/ };
  const log = store.audit.all();
  t.match(log, [
    { at: first, who: "tester", what: "campaign.create", subject, before: null, after: { id, ...written } },
    { at: first + 1_000, who: "tester", what: "campaign.update", subject, before: { id, ...written }, after: updated },
    { at: first + 2_000, who: "tester", what: "campaign.activate", subject, before: updated, after: { ...updated, status: "active" } },
    { at: first + 2_000, who: "tester", what: "campaign.end", subject, before: { ...updated, status: "active" }, after: { ...updated, status: "ended" } },
    { at: first + 2_000, who: "tester", what: "users.load", subject: `${subject}:users`, before: null, after: list },
    { at: first + 2_000, who: "tester", what: "campaign.delete", subject, before: { ...updated, status: "ended" }, after: null },
    { at: first + 2_000, who: "tester", what: "campaign.delete", subject: `${subject}:users`, before: list, after: null },
  ]);
  t.equal(log.length, 7);
  t.equal(store.audit.lastId(), 7);
});

t.test("what is created is what is read; an id is never given twice", async (t) => {
  const { store } = testStore(t);
  const full = campaignInput({
    title: "Ü",
    body: "B",
    priority: -3,
    target: "users",
    caps: ["1/6h", "3/total"],
    status: "draft",
    count_on: "serve",
    stop_after: ["dismiss"],
    exempt: true,
  });
  const campaign = createCampaign(store, full);
  t.same(store.campaigns.get(campaign.id), campaign);
  t.same(store.campaigns.list(), [campaign]);
  deleteCampaign(store, campaign.id);
  t.throws(() => store.campaigns.get(campaign.id), { code: "not_found", message: `campaign ${campaign.id} does not exist`, hint: /popup campaign list/ });
  t.equal(createCampaign(store, full).id, campaign.id + 1);
});

t.test("refused changes leave campaign and log as they were", async (t) => {
  const { store } = testStore(t);
  for (const status of ["paused", "ended"]) refused(t, () => createCampaign(store, campaignInput({ status })), "status", `a new campaign cannot be ${status}`);
  refused(t, () => createCampaign(store, campaignInput({ target: "users & !segment:gone" })), "target", 'there is no segment "gone"');
  t.same([store.campaigns.list(), store.audit.all()], [[], []]);
  const campaign = createCampaign(store, campaignInput());
  t.throws(() => setStatus(store, campaign.id, "draft", "x"), { code: "conflict", message: `campaign ${campaign.id} is active and cannot become draft` });
  t.throws(() => deleteCampaign(store, campaign.id), {
    code: "conflict",
    message: `campaign ${campaign.id} is active`,
    hint: `end it first: popup campaign end ${campaign.id}`,
  });
  t.throws(() => updateCampaign(store, 99, { title: "x" }), { code: "not_found" });
  t.throws(() => deleteCampaign(store, 99), { code: "not_found" });
  refused(t, () => updateCampaign(store, campaign.id, { title: "" }), "title", "has 0 characters");
  t.same(store.campaigns.list(), [campaign]);
  t.equal(store.audit.all().length, 1);
});

t.test("a target may be kept when its segment is gone, but not written anew", async (t) => {
  const { store } = testStore(t);
  const segment = { kind: "segment", name: "staff" } as const;
  store.transaction(() => store.audiences.replace(segment, ids("1"), "set", "test"));
  const { id } = createCampaign(store, campaignInput({ target: "!segment:staff" }));
  store.transaction(() => store.audiences.delete(segment, "test"));
  t.equal(updateCampaign(store, id, { title: "Still editable" }).title, "Still editable");
  refused(t, () => updateCampaign(store, id, { target: "segment:staff" }), "target", 'there is no segment "staff"');
});

t.test("an import is all or nothing, and names the record and the field", async (t) => {
  const { store } = testStore(t);
  const { id } = createCampaign(store, campaignInput({ title: "Old" }));
  const before = store.campaigns.list();
  const fails = (record: unknown, message: string, hint: RegExp): void => {
    t.throws(
      () => importCampaigns(store, [{ id, title: "Changed" }, campaignInput({ title: "Fresh" }), record], "f.json"),
      { code: "bad_file", message, hint },
      message,
    );
    t.same(store.campaigns.list(), before);
    t.equal(store.audit.all().length, 1);
  };
  fails(
    campaignInput({ priority: "high" }),
    'f.json, campaign 3: priority: "high" is not a whole number of -1,000,000 to 1,000,000',
    /; nothing was imported$/,
  );
  fails({ id: 99, title: "x" }, "f.json, campaign 3: campaign 99 does not exist", /^leave the id out to create it; nothing was imported$/);
  fails({ id: 0 }, 'f.json, campaign 3: campaign id: "0" is not a positive integer', /nothing was imported/);
  fails({ id, status: "draft" }, `f.json, campaign 3: campaign ${id} is active and cannot become draft`, /nothing was imported/);
  fails(campaignInput({ colour: "red" }), "f.json, campaign 3: colour: is not a field of a campaign", /fields: title, /);
  for (const record of [null, 7, "x", []]) fails(record, "f.json, campaign 3: record: is not an object", /nothing was imported/);
  const done = importCampaigns(store, [{ id, title: "Changed" }, campaignInput({ title: "Fresh" })], "f.json");
  t.match(done, [
    { id, title: "Changed" },
    { id: id + 1, title: "Fresh" },
  ]);
  t.match(store.audit.all().slice(1), [
    { what: "campaign.import", before: { title: "Old" } },
    { what: "campaign.import", before: null },
  ]);
});
