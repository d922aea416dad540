/** Versions of audiences: whatever loads and rollbacks come, each version that is kept holds what it held. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import t from "tap";
import type { AudienceRef } from "../../dist/audience.js";
import type { LoadMode } from "../../dist/store/audience-members.js";
import type { AudienceVersion } from "../../dist/store/audiences.js";
import { initial } from "../../dist/store/migrations/001-initial.js";
import { reserve } from "../../dist/store/migrations/002-reserve.js";
import { streamMark } from "../../dist/store/migrations/003-stream-mark.js";
import { apiKeys } from "../../dist/store/migrations/004-api-keys.js";
import { openStore } from "../../dist/store/store.js";
import { random } from "../helpers/refused.js";
import { type TestStore, testStore } from "../helpers/store.js";

const SEGMENT: AudienceRef = { kind: "segment", name: "s" };
const byId = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);

function load(at: TestStore, mode: LoadMode, ids: readonly string[], ref = SEGMENT): Promise<AudienceVersion> {
  return at.store.audiences.stage(
    async (list) => {
      const staged = list();
      for (const id of ids) staged.add(id);
      return staged;
    },
    (staged) =>
      at.store.transaction(() =>
        at.store.audiences.load(ref, staged, "auto", { what: "segment.load", mode, file: "f.csv", sha256: "ab", rows: ids.length, rejected: 1 }),
      ),
  );
}
const membersOf = (at: TestStore): string[] => {
  const ids = at.store.audiences.idsOf(SEGMENT);
  return [...[...ids.integerIds()].map(String), ...ids.strings].sort(byId);
};

t.test("a version says where it came from and what it changed", async (t) => {
  const at = testStore(t);
  await load(at, "replace", ["1", "2", "a"]);
  at.now += 1_000;
  const made = await load(at, "add", ["2", "3", "b", "b"]);
  t.match(made, {
    version: 2,
    at: at.now,
    who: "tester",
    what: "segment.load",
    mode: "add",
    file: "f.csv",
    sha256: "ab",
    rows: 4,
    added: 2,
    removed: 0,
    rejected: 1,
    integers: 3,
    strings: 2,
    encoding: "bitmap",
  });
  t.same(at.store.audiences.history(SEGMENT)[1], made);
  t.same(at.store.audiences.diff(SEGMENT, 1, 2, 5), { added: 2, removed: 0, added_ids: ["3", "b"], removed_ids: [] });
  t.same(at.store.audiences.diff(SEGMENT, 2, 1, 1), { added: 0, removed: 2, added_ids: [], removed_ids: ["3"] }, "backwards, with one id for a sample");
  t.match(
    at.store.transaction(() => at.store.audiences.rollBack(SEGMENT, 1, "segment.rollback")),
    { version: 3, mode: "rollback", file: "f.csv", added: 0, removed: 2, integers: 2, strings: 1 },
  );
  t.same(membersOf(at), ["1", "2", "a"].sort(byId));
  t.throws(() => at.store.audiences.rollBack(SEGMENT, 3, "x"), { code: "invalid", message: "version: 3 is the present version of segment:s" });
  t.throws(() => at.store.audiences.rollBack(SEGMENT, 9, "x"), { code: "not_found", message: "version 9 of segment:s is not kept", hint: "kept: 1, 2, 3" });
  t.throws(() => at.store.audiences.history({ kind: "segment", name: "x" }), { code: "not_found", message: 'there is no segment "x"' });
  t.throws(() => at.store.audiences.diff({ kind: "users", campaignId: 7 }, 1, 2, 5), { code: "not_found", message: "campaign 7 has no user list" });
  at.store.transaction(() => at.store.audiences.delete(SEGMENT, "segment.delete"));
  t.equal((await load(at, "add", ["9"])).version, 1, "a new one of the name has nothing of the old");
  t.same(membersOf(at), ["9"]);
});

t.test("each kept version holds what it held; no more are kept than the setting says", async (t) => {
  const at = testStore(t);
  const below = random(t);
  for (let round = 0; round < 6; round++) {
    const keep = [1, 2, 5][round % 3] ?? 5;
    at.store.settings.set("audience_versions", String(keep));
    at.store.transaction(() => at.store.audiences.delete(SEGMENT, "x"));
    const held = new Map<number, Set<string>>();
    let now = new Set<string>();
    let version = 0;
    const range = round % 2 === 0 ? 60 : 400_000;
    for (let step = 0; step < 25; step++) {
      const kept = [...held.keys()].filter((one) => one > version - keep && one !== version);
      const before = now;
      let made: AudienceVersion;
      if (kept.length > 0 && below(4) === 0) {
        const to = kept[below(kept.length)] ?? 0;
        now = held.get(to) ?? now;
        made = at.store.transaction(() => at.store.audiences.rollBack(SEGMENT, to, "segment.rollback"));
      } else {
        const mode = (["replace", "add", "remove"] as const)[below(3)] ?? "add";
        const ids = Array.from({ length: below(40) }, () => (below(3) === 0 ? `u${below(40)}` : String(below(range))));
        now = mode === "replace" ? new Set(ids) : mode === "add" ? new Set([...now, ...ids]) : new Set([...now].filter((id) => !ids.includes(id)));
        made = await load(at, mode, ids);
      }
      held.set(++version, now);
      const counts = { version: made.version, added: made.added, removed: made.removed, ids: made.integers + made.strings };
      const wanted = {
        version,
        added: [...now].filter((id) => !before.has(id)).length,
        removed: [...before].filter((id) => !now.has(id)).length,
        ids: now.size,
      };
      if (JSON.stringify(counts) !== JSON.stringify(wanted)) t.same(counts, wanted, `step ${step}`);
      const members = membersOf(at);
      if (members.join(" ") !== [...now].sort(byId).join(" ")) t.same(members, [...now].sort(byId), `members at step ${step}`);
      const known = at.store.audiences.history(SEGMENT).map((one) => one.version);
      t.same(
        known,
        [...held.keys()].filter((one) => one > version - keep),
        "the last of them",
      );
      const [from = version, to = version] = [known[below(known.length)], known[below(known.length)]];
      const [a, b] = [held.get(from) ?? new Set<string>(), held.get(to) ?? new Set<string>()];
      const diff = at.store.audiences.diff(SEGMENT, from, to, 1_000);
      t.same(
        [diff.added, [...diff.added_ids].sort(byId), diff.removed, [...diff.removed_ids].sort(byId)],
        [
          [...b].filter((id) => !a.has(id)).length,
          [...b].filter((id) => !a.has(id)).sort(byId),
          [...a].filter((id) => !b.has(id)).length,
          [...a].filter((id) => !b.has(id)).sort(byId),
        ],
        `${from} to ${to}`,
      );
    }
  }
  for (const text of ["0", "101", "x", "1.5"])
    t.throws(() => at.store.settings.set("audience_versions", text), { code: "invalid", field: "audience_versions" });
});

t.test("a version costs what changed in it, and what no kept version holds is gone", async (t) => {
  const at = testStore(t);
  at.store.settings.set("audience_versions", "3");
  const many = Array.from({ length: 300_000 }, (_, n) => String(n));
  await load(at, "replace", many);
  for (let n = 0; n < 6; n++) await load(at, n % 2 === 0 ? "add" : "remove", ["299999", "400000", `u${n}`]);
  const { id } = at.store.audiences.find(SEGMENT) ?? { id: 0 };
  const db = new Database(at.path, { readonly: true });
  t.teardown(() => db.close());
  const rows = db.prepare("SELECT number, until FROM audience_chunks WHERE audience_id = ? ORDER BY number, since").all(id) as {
    number: number;
    until: number | null;
  }[];
  t.ok(rows.filter(({ number }) => number < 4).length === 4, "chunks that no load touched are there once");
  t.ok(
    rows.every(({ until }) => until === null || until >= 5),
    "nothing is left of versions before the fourth",
  );
});

t.test("a store of before has its audiences as first versions", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "popup-old-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, "popup.db");
  const old = new Database(path);
  for (const sql of [initial, reserve, streamMark, apiKeys]) old.exec(sql);
  old.pragma("user_version = 4");
  old.exec("INSERT INTO audiences VALUES (3, 'segment', 's', 'bitmap', 2, 1, 'rev', 1000), (4, 'users', '7', 'set', 0, 0, 'other', 2000)");
  old.prepare("INSERT INTO audience_chunks VALUES (3, 1, ?)").run(Buffer.from([0, 0, 5, 0]));
  old.exec("INSERT INTO audience_strings VALUES (3, 'a')");
  old.close();
  const store = openStore(path, { actor: "tester" });
  t.teardown(() => store.close());
  t.match(store.audiences.list(), [
    { id: 3, version: 1, encoding: "bitmap", integers: 2, strings: 1, revision: "rev", loadedAt: 1000 },
    { id: 4, ref: { kind: "users", campaignId: 7 }, encoding: "set" },
  ]);
  t.same([...store.audiences.idsOf(SEGMENT).integerIds(), ...store.audiences.idsOf(SEGMENT).strings], [65_536, 65_541, "a"]);
  t.match(store.audiences.history(SEGMENT), [{ version: 1, what: "upgrade", integers: 2, strings: 1 }]);
  t.equal(
    store.transaction(() => store.audiences.delete(SEGMENT, "x")),
    true,
  );
  t.same([...store.audiences.members.strings(3)], [], "its members go with it");
});
