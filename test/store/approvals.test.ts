/** The setting approvals: what waits for whom, and what one user may do alone. */
import t from "tap";
import { createCampaign, importCampaigns, setStatus, updateCampaign } from "../../dist/store/campaign-changes.js";
import { changeSetting } from "../../dist/store/setting-changes.js";
import { openStore, type Store } from "../../dist/store/store.js";
import { testStore } from "../helpers/store.js";

const FORM = {
  title: "T",
  image_url: "https://b.example/i.png",
  action_url: "app:x",
  priority: 1,
  target: "all",
  start_time: "2026-01-01",
  end_time: "2027-01-01",
};

t.test("a guarded setting waits for its approvals, and the number of them most of all", async (t) => {
  const at = testStore(t);
  const as = (actor: string): Store => {
    const store = openStore(at.path, { actor, clock: () => at.now });
    t.teardown(() => store.close());
    return store;
  };
  const [ana, budi, citra] = [as("ana"), as("budi"), as("citra")];
  t.same(changeSetting(ana, "timezone", "Asia/Jakarta"), { value: "Asia/Jakarta", waiting: null }, "one user is enough by default");
  t.equal(changeSetting(ana, "approvals", "2").waiting, null, "and to ask for more");

  const { waiting } = changeSetting(ana, "approvals", "1");
  t.match(waiting, {
    subject: "setting:approvals",
    detail: { setting: "approvals", before: "2", after: "1" },
    requested_by: "ana",
    at: at.now,
    approved_by: [],
  });
  const hash = waiting?.hash ?? "";
  t.match(hash, /^[0-9a-f]{40}$/);
  t.same(changeSetting(budi, "approvals", "1").waiting, waiting, "who asks for the same approves nothing by that");
  t.equal(ana.settings.get("approvals"), "2");
  const approve = (store: Store, which = hash): unknown => store.transaction(() => store.approvals.approve(which));
  t.throws(() => approve(ana), { code: "forbidden", message: /was asked for by ana, and that is you/ });
  t.throws(() => approve(budi, "0".repeat(40)), { code: "not_found" });
  t.match(approve(budi), { approved_by: ["budi"] });
  t.throws(() => approve(budi), { code: "conflict", message: /approved by budi already/ });
  t.same(changeSetting(citra, "approvals", "3").waiting?.requested_by, "citra", "another value is another request");
  t.equal(ana.approvals.granted(hash), true);
  t.equal(changeSetting(ana, "approvals", "1").waiting, null);
  t.same([ana.settings.get("approvals"), ana.approvals.list()], ["1", []], "what else was asked of it is void");

  changeSetting(ana, "approvals", "3");
  for (const [name, value] of [
    ["timezone", "UTC"],
    ["user_caps", "1/day"],
    ["reserve", "5"],
  ] as const)
    t.ok(changeSetting(ana, name, value).waiting, name);
  t.equal(changeSetting(ana, "stream_max", "5000").waiting, null, "customers do not notice this");
  t.equal(changeSetting(ana, "timezone", "Asia/Jakarta").waiting, null, "nor what is set already");
  const caps = ana.approvals.list().find(({ subject }) => subject === "setting:user_caps")?.hash ?? "";
  approve(budi, caps);
  t.ok(changeSetting(ana, "user_caps", "1/day").waiting, "two of three");
  approve(citra, caps);
  t.equal(changeSetting(budi, "user_caps", "1/day").waiting, null, "three; whoever of them sets it");
  t.match(
    ana.audit
      .all()
      .slice(-4)
      .map(({ who, what, subject, plan }) => [who, what, subject, plan]),
    [
      ["ana", "settings.set", "setting:timezone", null],
      ["budi", "approval.give", "setting:user_caps", caps],
      ["citra", "approval.give", "setting:user_caps", caps],
      ["budi", "settings.set", "setting:user_caps", null],
    ],
  );
  for (const wrong of ["0", "10", "two", "-1", "1.5"]) t.throws(() => changeSetting(ana, "approvals", wrong), { code: "invalid", field: "approvals" }, wrong);
});

t.test("alone, nobody changes what customers see; everybody may take it away", async (t) => {
  const { store } = testStore(t);
  const live = createCampaign(store, { ...FORM, status: "active" }).id;
  const draft = createCampaign(store, FORM).id;
  store.settings.set("approvals", "2");
  const refused: [string, () => unknown][] = [
    ["create", () => createCampaign(store, { ...FORM, status: "active" })],
    ["update", () => updateCampaign(store, live, { title: "Other" })],
    ["activate", () => setStatus(store, draft, "active", "campaign.activate")],
  ];
  const log = store.audit.lastId();
  for (const [name, work] of refused)
    t.throws(work, { code: "forbidden", message: "an active campaign is changed by 2 users together (setting approvals)", hint: /popup apply/ }, name);
  t.throws(() => importCampaigns(store, [{ ...FORM }, { id: live, title: "Other" }], "f.json"), {
    code: "bad_file",
    message: /f\.json, campaign 2: an active campaign is changed by 2 users/,
  });
  t.equal(store.audit.lastId(), log);
  t.same(updateCampaign(store, draft, { title: "Other" }).title, "Other", "nobody sees a draft");
  t.equal(createCampaign(store, FORM).status, "draft");
  t.equal(setStatus(store, live, "paused", "campaign.pause").status, "paused");
  t.throws(() => setStatus(store, live, "active", "campaign.activate"), { code: "forbidden" }, "and back is a change that is seen");
  t.equal(setStatus(store, live, "ended", "campaign.end").status, "ended");
});
