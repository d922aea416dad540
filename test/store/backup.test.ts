import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import t from "tap";
import { backupStore } from "../../dist/store/backup.js";
import { createCampaign } from "../../dist/store/campaign-changes.js";
import { openStore } from "../../dist/store/store.js";
import { cli } from "../helpers/cli.js";
import { campaignInput } from "../helpers/engine.js";
import { testStore } from "../helpers/store.js";

t.test("while another process is in the middle of a change, the copy is that of before it", async (t) => {
  const { store, path, dir } = testStore(t);
  createCampaign(store, campaignInput({ title: "Before" }));
  const other = new Database(path);
  t.teardown(() => other.close());
  other.exec("BEGIN IMMEDIATE; UPDATE campaigns SET title = 'Half done'");
  const target = join(dir, "backup.db");
  const bytes = await backupStore(path, target);
  other.exec("COMMIT");
  t.equal(statSync(target).size, bytes);
  t.equal(statSync(target).mode, statSync(path).mode, "who may not read the store may not read its copy");
  t.same(readdirSync(dir).sort(), ["backup.db", "data"], "one file, and nothing beside it");

  const data = join(dir, "restored");
  mkdirSync(data);
  writeFileSync(join(data, "popup.db"), readFileSync(target));
  const restored = openStore(join(data, "popup.db"), { actor: "tester" });
  t.teardown(() => restored.close());
  t.equal(restored.campaigns.get(1).title, "Before");
  t.equal(restored.audit.all().length, 1);
});

t.test("what cannot be written leaves nothing, and overwrites nothing", async (t) => {
  const { path, dir } = testStore(t);
  const there = join(dir, "there.db");
  writeFileSync(there, "mine");
  await t.rejects(backupStore(path, there), { code: "conflict", message: `${there} exists` });
  t.equal(readFileSync(there, "utf8"), "mine");
  await t.rejects(backupStore(path, join(dir, "no", "folder.db")), { code: "bad_file", message: /no\/folder\.db cannot be written: .*ENOENT/ });

  // What a kill in the middle left.
  writeFileSync(join(dir, "again.db.part"), "half a copy");
  await backupStore(path, join(dir, "again.db"));
  t.notOk(existsSync(join(dir, "again.db.part")));
});

t.test("a damaged store is no backup", async (t) => {
  const { store, path, dir } = testStore(t);
  for (let n = 0; n < 200; n++) createCampaign(store, campaignInput({ title: `Campaign ${n}`, body: "x".repeat(500) }));
  store.close();
  const file = openSync(path, "r+");
  // Pages in the middle of the campaigns.
  const size = statSync(path).size;
  writeSync(file, Buffer.alloc(8_192, 0xff), 0, 8_192, Math.floor(size / 2 / 4_096) * 4_096);
  closeSync(file);
  const target = join(dir, "backup.db");
  await t.rejects(backupStore(path, target), { code: "unavailable", message: /is damaged/, hint: /last good backup/ });
  t.same(readdirSync(dir), ["data"]);
});

t.test("popup backup", async (t) => {
  const popup = cli(t);
  const target = join(popup.dir, "backup.db");
  const { code, stdout, stderr } = await popup(["--json", "backup", target]);
  t.match({ code, stderr }, { code: 0, stderr: "" });
  t.match(JSON.parse(stdout), { file: target, bytes: statSync(target).size, seconds: Number });
});
