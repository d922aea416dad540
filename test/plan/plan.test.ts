/** Files against the store: what a plan says, what its hash covers, and what applying it does. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import t, { type Test } from "tap";
import { IdSet } from "../../dist/id-set.js";
import { applyFolder, type FolderPlan, planFolder } from "../../dist/plan/apply.js";
import { createCampaign, setStatus, updateCampaign } from "../../dist/store/campaign-changes.js";
import type { Store } from "../../dist/store/store.js";
import { testStore } from "../helpers/store.js";

const FORM = { image_url: "https://b.example/i.png", action_url: "app:x", priority: 1, target: "all", start_time: "2026-01-01", end_time: "2027-01-01" };

interface Folder {
  readonly store: Store;
  readonly dir: string;
  readonly path: string;
  write(name: string, ...campaigns: Record<string, unknown>[]): void;
  text(name: string, text: string): void;
  remove(name: string): void;
  plan(): FolderPlan;
  apply(): FolderPlan;
}

function folder(t: Test): Folder {
  const { store, path, dir: base } = testStore(t);
  const dir = join(base, "campaigns");
  mkdirSync(dir);
  const text = (name: string, content: string): void => writeFileSync(join(dir, name), content);
  return {
    store,
    dir,
    path,
    text,
    write: (name, ...campaigns) => text(name, JSON.stringify(campaigns.map((campaign) => ({ title: "T", ...FORM, ...campaign })))),
    remove: (name) => rmSync(join(dir, name)),
    plan: () => planFolder(store, dir),
    apply: () => applyFolder(store, dir, planFolder(store, dir).hash).plan,
  };
}

function ids(members: readonly string[]): IdSet {
  const set = new IdSet();
  for (const id of members) set.add(id);
  return set;
}

const brief = (plan: FolderPlan): unknown[] =>
  plan.steps.map(({ action, key, id, changes }) => [
    action,
    key,
    id,
    ...changes.map(({ field, before, after }) => `${field} ${JSON.stringify(before)} ${JSON.stringify(after)}`),
  ]);

t.test("create, change field by field, end, delete; by hand is left alone", async (t) => {
  const f = folder(t);
  createCampaign(f.store, { title: "By hand", ...FORM, status: "active" });
  f.write("b.json", { status: "active" });
  f.write("a.json", { key: "two", status: "active" }, { key: "one" });
  f.text(
    "c.yaml",
    "title: C\nimage_url: https://b.example/i.png\naction_url: app:x\npriority: 5\ntarget: users\nstart_time: 2026-01-01T09:00\nend_time: 2027-01-01\ncaps: [1/day]\n",
  );
  f.text("README.md", "not read");
  f.text(".hidden.yaml", "nonsense: [");
  const first = f.plan();
  t.same(first.ignored, ["README.md"]);
  t.same(
    first.steps.map(({ action, key, id, title }) => [action, key, id, title]),
    [
      ["create", "b", null, "T"],
      ["create", "c", null, "C"],
      ["create", "one", null, "T"],
      ["create", "two", null, "T"],
    ],
    "by key",
  );
  t.match(first.steps[1]?.changes, [
    { field: "title", before: null, after: "C" },
    { field: "image_url" },
    { field: "action_url" },
    { field: "priority" },
    { field: "target" },
    { field: "caps", after: ["1/day"] },
    { field: "start_time", after: "2026-01-01T09:00:00Z" },
  ]);
  t.same(f.store.campaigns.list().length, 1, "a plan changes nothing");
  t.same(
    f.apply().steps.map(({ key, id }) => [key, id]),
    [
      ["b", 2],
      ["c", 3],
      ["one", 4],
      ["two", 5],
    ],
  );
  t.same(
    f.store.campaigns.list().map(({ id, key, status }) => [id, key, status]),
    [
      [1, undefined, "active"],
      [2, "b", "active"],
      [3, "c", "draft"],
      [4, "one", "draft"],
      [5, "two", "active"],
    ],
  );
  t.match(f.plan(), { steps: [], unchanged: 4 });

  f.write("b.json", { status: "active", priority: 2, caps: ["1/day"] });
  f.remove("a.json");
  f.store.transaction(() => f.store.audiences.replace({ kind: "users", campaignId: 4 }, ids(["1", "2"]), "auto", "test"));
  t.same(brief(f.plan()), [
    ["change", "b", 2, "priority 1 2", 'caps [] ["1/day"]'],
    ["delete", "one", 4],
    ["end", "two", 5, 'status "active" "ended"'],
  ]);
  t.match(f.plan().steps[1], { users: 2 });
  const { hash } = f.apply();
  t.same(
    f.store.campaigns.list().map(({ id, status, priority }) => [id, status, priority]),
    [
      [1, "active", 1],
      [2, "active", 2],
      [3, "draft", 5],
      [5, "ended", 1],
    ],
  );
  t.equal(f.store.audiences.find({ kind: "users", campaignId: 4 }), undefined, "the draft's list went with it");
  t.match(f.store.audit.all().slice(-5), [
    { what: "campaign.apply", subject: "campaign:2", before: { priority: 1 }, after: { priority: 2 }, plan: hash },
    { what: "campaign.apply", subject: "campaign:4", after: null, plan: hash },
    { subject: "campaign:4:users", after: null },
    { what: "campaign.apply", subject: "campaign:5", after: { status: "ended" }, plan: hash },
    {
      what: "plan.apply",
      subject: "plan",
      after: { steps: [{ action: "change", key: "b", id: 2 }, {}, {}], requested_by: "tester", approved_by: [] },
      plan: hash,
    },
  ]);
  t.match(f.plan(), { steps: [], unchanged: 2 }, "who is ended stays out of it");
});

t.test("a status that the file does not name stays what it is; a field that it does not name is its default", async (t) => {
  const f = folder(t);
  f.write("a.json", { body: "B", caps: ["1/day"], exempt: true });
  f.apply();
  setStatus(f.store, 1, "active", "test");
  t.same(f.plan().steps, []);
  updateCampaign(f.store, 1, { title: "By hand", status: "paused" });
  t.same(brief(f.plan()), [["change", "a", 1, 'title "By hand" "T"']], "what was done by hand is shown, and is undone");
  f.write("a.json", {});
  t.same(brief(f.plan()), [["change", "a", 1, 'title "By hand" "T"', 'body "B" null', 'caps ["1/day"] []', "exempt true false"]]);
  f.write("a.json", { status: "active" });
  t.match(
    f.plan().steps[0]?.changes.map(({ field }) => field),
    ["title", "body", "image_url", "action_url", "priority", "target", "caps", "start_time", "end_time", "status", "count_on", "exempt"],
    "of one that goes live everything is shown",
  );
  t.match(f.plan().steps[0]?.changes[4], { field: "priority", before: 1, after: 1 });
});

t.test("one that was made by hand is kept in files from now on by its id", async (t) => {
  const f = folder(t);
  createCampaign(f.store, { title: "By hand", ...FORM });
  createCampaign(f.store, { title: "Other", ...FORM });
  f.write("a.json", { id: 1, title: "By hand" });
  t.match(f.plan().steps, [{ action: "change", key: "a", id: 1, adopted: true, changes: [] }]);
  f.apply();
  t.match(f.store.campaigns.get(1), { key: "a", title: "By hand" });
  t.match(f.plan(), { steps: [], unchanged: 1 }, "its id may stay");
  const cases: [string, Record<string, unknown>[], RegExp][] = [
    [
      "another's key",
      [
        { id: 1, title: "By hand" },
        { key: "b", id: 1 },
      ],
      /id: 1 is named twice/,
    ],
    ["a key that has one", [{ key: "a", id: 2 }], /id: 2 is not the campaign of the key a, which is 1/],
    ["an id that has a key", [{ key: "c", id: 1 }], /id: campaign 1 has the key a/],
    ["nobody's id", [{ key: "d", id: 9 }], /campaign 9 does not exist/],
  ];
  for (const [name, campaigns, message] of cases) {
    f.write("a.json", ...campaigns.map((campaign) => ({ key: "a", ...campaign })));
    t.throws(() => f.plan(), { code: "bad_file", message }, name);
  }
  t.equal(f.store.campaigns.get(2).key, undefined);
});

t.test("every fault of every file is told, and nothing is done", async (t) => {
  const f = folder(t);
  f.write("old.json", { status: "active" });
  f.apply();
  setStatus(f.store, 1, "ended", "test");
  f.write("old.json", { status: "active" });
  f.text(
    "a.yaml",
    "titel: X\npriority: high\ntarget: all\nimage_url: https://b.example/x.png\naction_url: 'javascript:x'\nstart_time: 2026-12-01\nend_time: tomorrow\nstatus: {a: 1}\n",
  );
  f.write("b.json", { key: "no key!", title: 7 }, { title: "no key" }, { key: "b", end_time: "2025-01-01" });
  f.write("Bad Name.json", {});
  f.text("c.yaml", "- 7\n- key: new\n  <<: x\n");
  f.text("latin.yaml", "");
  writeFileSync(join(f.dir, "latin.yaml"), Buffer.from([0x74, 0x3a, 0x20, 0xe9]));
  writeFileSync(join(f.dir, "large.yaml"), "#".repeat(1_048_577));
  mkdirSync(join(f.dir, "d.yaml"));
  const error = t.throws(() => f.plan(), { code: "bad_file", hint: /nothing was changed/ }) as Error;
  const lines = error.message.split("\n");
  t.match(lines[0], /campaigns: \d+ faults in the campaign files$/);
  for (const line of [
    /a\.yaml, line 1: titel: is not a field of a campaign \(did you mean title\? fields: /,
    /a\.yaml, line 2: priority: "high" is not/,
    /a\.yaml, line 5: action_url: has the scheme javascript:/,
    /a\.yaml, line 7: end_time: "tomorrow" is not a time/,
    /a\.yaml, line 8: status: "an object" is not one of its values/,
    /a\.yaml, line 1: title: is missing/,
    /b\.json, line 1: key: "no key!" is not a key/,
    /b\.json, line 1: title: is not a text/,
    /b\.json, line 1: key: is missing \(a file of several/,
    /b\.json, line 1: end_time: is not after start_time/,
    /Bad Name\.json, line 1: key: "Bad Name" is not a key \(.*it is the file's name/,
    /c\.yaml, line 1: is no campaign/,
    /c\.yaml, line 3: <<: is not a field/,
    /latin\.yaml: cannot be read/,
    /large\.yaml: has 1,048,577 bytes/,
    /d\.yaml: is no file/,
  ])
    t.ok(
      lines.some((one) => line.test(one)),
      String(line),
    );
  t.ok(lines.length <= 22, "20 at most");
  t.throws(() => applyFolder(f.store, f.dir, "x"), { code: "bad_file" });
  t.same(f.store.campaigns.list().length, 1);

  for (const name of ["a.yaml", "b.json", "Bad Name.json", "c.yaml", "latin.yaml", "large.yaml"]) f.remove(name);
  rmSync(join(f.dir, "d.yaml"), { recursive: true });
  f.write("new.json", { status: "paused" });
  f.write("segment.json", { target: "segment:nowhere" });
  const later = t.throws(() => f.plan(), { message: /3 faults/ }) as Error;
  for (const line of [
    /old\.json, line 1: campaign 1 is ended and cannot become active \(an ended campaign stays ended/,
    /new\.json, line 1: status: a new campaign cannot be paused/,
    /segment\.json, line 1: target: there is no segment "nowhere"/,
  ])
    t.match(later.message, line, "what the store knows");
  f.remove("new.json");
  f.remove("segment.json");
  f.write("again.json", { key: "old" });
  f.write("old.json", {});
  t.throws(() => f.plan(), { message: /key: old is named twice \(the other is in again\.json, line 1/ });
  f.remove("again.json");
  f.remove("old.json");
  t.throws(() => f.plan(), { code: "bad_file", message: /has no campaign file in it/, hint: /is it the right folder/ }, "an empty folder ends nothing");
  t.throws(() => planFolder(f.store, join(f.dir, "nowhere")), { code: "bad_file", message: /cannot be read/ });
});

t.test("a plan is applied only while nothing that it depends on has changed", async (t) => {
  const f = folder(t);
  f.store.transaction(() => f.store.audiences.replace({ kind: "segment", name: "payroll" }, ids(["1"]), "auto", "test"));
  createCampaign(f.store, { title: "By hand", ...FORM, status: "active" });
  f.write("a.json", { status: "active" }, { key: "gone" });
  f.write("a.json", { key: "a", status: "active" }, { key: "gone" });
  f.apply();
  f.write("a.json", { priority: 3 });
  f.write("b.json", { start_time: "2026-02-01" });
  const { hash } = f.plan();
  t.equal(f.plan().hash, hash, "it is the same as long as all is");
  const refused = (name: string, change: () => void, back: () => void): void => {
    change();
    t.not(f.plan().hash, hash, name);
    t.throws(
      () => applyFolder(f.store, f.dir, hash),
      { code: "conflict", message: /by now, not .*: the files, the campaigns or the timezone were changed since/, hint: /popup plan/ },
      name,
    );
    back();
    t.equal(f.plan().hash, hash, `${name}, and back`);
  };
  refused(
    "a file",
    () => f.write("b.json", { start_time: "2026-02-02" }),
    () => f.write("b.json", { start_time: "2026-02-01" }),
  );
  refused(
    "one more file",
    () => f.write("z.json", {}),
    () => f.remove("z.json"),
  );
  refused(
    "a campaign of the files",
    () => updateCampaign(f.store, 2, { body: "B" }),
    () => updateCampaign(f.store, 2, { body: "" }),
  );
  refused(
    "its status",
    () => setStatus(f.store, 2, "paused", "test"),
    () => setStatus(f.store, 2, "active", "test"),
  );
  refused(
    "the timezone",
    () => f.store.settings.set("timezone", "Asia/Jakarta"),
    () => f.store.settings.set("timezone", "UTC"),
  );
  refused(
    "the list of a draft that would be deleted",
    () => f.store.transaction(() => f.store.audiences.replace({ kind: "users", campaignId: 3 }, ids(["1"]), "auto", "test")),
    () => f.store.transaction(() => f.store.audiences.delete({ kind: "users", campaignId: 3 }, "test")),
  );
  updateCampaign(f.store, 1, { title: "Another" });
  f.store.transaction(() => f.store.audiences.delete({ kind: "segment", name: "payroll" }, "test"));
  f.text("b.json", `\n\n${JSON.stringify({ ...FORM, title: "T", start_time: "2026-02-01" })}`);
  t.equal(f.plan().hash, hash, "what was made by hand, audiences and how a file is written are nothing to it");
  t.match(applyFolder(f.store, f.dir, hash), { waiting: null, plan: { hash } });
  t.throws(() => applyFolder(f.store, f.dir, hash), { code: "conflict" }, "once");
});

t.test("the timezone belongs to a plan even where every time has its offset", async (t) => {
  const f = folder(t);
  f.write("a.json", { start_time: "2026-01-01T00:00:00Z", end_time: "2027-01-01T00:00:00Z", caps: ["1/day"] });
  const { hash } = f.plan();
  f.store.settings.set("timezone", "Asia/Jakarta");
  t.not(f.plan().hash, hash, "a day begins at another time");
});

t.test("an apply is all or nothing", async (t) => {
  const f = folder(t);
  f.write("a.json", { key: "a" }, { key: "b" });
  const { hash } = f.plan();
  const db = new Database(f.path);
  t.teardown(() => db.close());
  db.exec("CREATE TRIGGER refuse BEFORE INSERT ON campaigns WHEN NEW.key = 'b' BEGIN SELECT RAISE(ABORT, 'not this one'); END");
  t.throws(() => applyFolder(f.store, f.dir, hash), { message: "not this one" });
  t.same([f.store.campaigns.list(), f.store.audit.all()], [[], []]);
});
