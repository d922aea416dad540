import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import t from "tap";
import { IdSet } from "../../dist/id-set.js";
import { createCampaign } from "../../dist/store/campaign-changes.js";
import { SCHEMA_VERSION } from "../../dist/store/migrate.js";
import { initial } from "../../dist/store/migrations/001-initial.js";
import { reserve } from "../../dist/store/migrations/002-reserve.js";
import { streamMark } from "../../dist/store/migrations/003-stream-mark.js";
import { apiKeys } from "../../dist/store/migrations/004-api-keys.js";
import { audienceVersions } from "../../dist/store/migrations/005-audience-versions.js";
import { openStore } from "../../dist/store/store.js";
import { campaignInput } from "../helpers/engine.js";
import { testStore } from "../helpers/store.js";

t.test("a fresh store gets the schema and its folder; a reopened one keeps what it has", async (t) => {
  const { store, path } = testStore(t);
  t.same([store.campaigns.list(), store.audiences.list(), store.audit.all(), store.audit.lastId()], [[], [], [], 0]);
  const { id } = createCampaign(store, campaignInput({ title: "Kept" }));
  const again = openStore(path, { actor: "other" });
  t.teardown(() => again.close());
  t.equal(again.campaigns.get(id).title, "Kept");
  t.equal(again.audit.all().length, 1, "opening is no change");
  const db = new Database(path, { readonly: true });
  t.teardown(() => db.close());
  t.equal(db.pragma("user_version", { simple: true }), SCHEMA_VERSION);
  t.equal(db.pragma("journal_mode", { simple: true }), "wal");
});

t.test("a store of a newer engine is refused and left as it is", async (t) => {
  const { path } = testStore(t);
  const db = new Database(path);
  t.teardown(() => db.close());
  db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
  t.throws(() => openStore(path, { actor: "x" }), {
    code: "conflict",
    message: `the store has schema ${SCHEMA_VERSION + 1}, this engine knows ${SCHEMA_VERSION}`,
    hint: /upgrade/,
  });
  t.equal(db.pragma("user_version", { simple: true }), SCHEMA_VERSION + 1);
});

t.test("so is one that a newer engine takes while this one has it open", async (t) => {
  const { store, path } = testStore(t);
  const db = new Database(path);
  t.teardown(() => db.close());
  db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
  const event = { type: "impression", campaignId: 1, userId: "u", impressionId: "i", at: 1, overCap: false, sessionId: null } as const;
  const conflict = { code: "conflict", message: /has schema/ };
  t.throws(() => store.snapshot(() => t.fail("not reached")), conflict);
  t.throws(() => store.transaction(() => t.fail("not reached")), conflict);
  t.throws(() => store.events.write([event]), conflict);
  db.pragma(`user_version = ${SCHEMA_VERSION}`);
  t.equal(store.events.write([event]), 1);
});

t.test("a file that is no store, and a folder in its place, are refused with a remedy", async (t) => {
  const { dir } = testStore(t);
  writeFileSync(join(dir, "text.db"), "this is no database, but long enough to look at ".repeat(50));
  mkdirSync(join(dir, "folder.db"));
  for (const name of ["text.db", "folder.db", join("text.db", "below.db")]) {
    t.throws(() => openStore(join(dir, name), { actor: "x" }), { code: "unavailable", message: /cannot be opened: /, hint: /--data/ }, name);
  }
});

t.test("a transaction that throws leaves nothing behind, nor does an inner one", async (t) => {
  const { store } = testStore(t);
  const ids = new IdSet();
  ids.add("7");
  t.throws(
    () =>
      store.transaction(() => {
        createCampaign(store, campaignInput());
        store.settings.set("timezone", "Asia/Jakarta");
        store.audiences.replace({ kind: "segment", name: "s" }, ids, "set", "test");
        throw new Error("on the way");
      }),
    { message: "on the way" },
  );
  t.same([store.campaigns.list(), store.settings.get("timezone"), store.audiences.list(), store.audit.all()], [[], "UTC", [], []]);
  store.transaction(() => {
    createCampaign(store, campaignInput({ title: "Outer" }));
    t.throws(
      () =>
        store.transaction(() => {
          createCampaign(store, campaignInput({ title: "Inner" }));
          throw new Error("inner");
        }),
      { message: "inner" },
    );
  });
  t.same(
    store.campaigns.list().map((campaign) => campaign.title),
    ["Outer"],
  );
  t.equal(store.audit.all().length, 1, "the audit log tells of what happened only");
});

t.test("a snapshot is one view, whatever others write", async (t) => {
  const { store, path } = testStore(t);
  const other = openStore(path, { actor: "other" });
  t.teardown(() => other.close());
  store.snapshot(() => {
    t.equal(store.campaigns.list().length, 0);
    createCampaign(other, campaignInput());
    t.equal(store.campaigns.list().length, 0, "the other's campaign came after");
  });
  t.equal(store.campaigns.list().length, 1);
});

t.test("a store of before gets keys and plans: its campaigns have none", async (t) => {
  const { dir } = testStore(t);
  const path = join(dir, "old.db");
  const old = new Database(path);
  for (const sql of [initial, reserve, streamMark, apiKeys, audienceVersions]) old.exec(sql);
  old.pragma("user_version = 5");
  old.exec(`INSERT INTO campaigns (title, image_url, action_url, priority, target, caps, start_time, end_time, status, count_on, stop_after, exempt)
    VALUES ('Kept', 'https://b.example/i', 'app:x', 0, 'all', '[]', 0, 1, 'active', 'impression', '[]', 0)`);
  old.exec("INSERT INTO audit (at, who, what, subject, before, after) VALUES (1, 'ana', 'campaign.create', 'campaign:1', NULL, '{}')");
  old.close();
  const store = openStore(path, { actor: "tester" });
  t.teardown(() => store.close());
  t.match(store.campaigns.list(), [{ id: 1, title: "Kept" }]);
  t.same([store.campaigns.get(1).key, store.campaigns.managed(), store.approvals.list(), store.approvals.needed()], [undefined, [], [], 1]);
  t.same(store.audit.all(), [{ at: 1, who: "ana", what: "campaign.create", subject: "campaign:1", before: null, after: {}, plan: null }]);
});
