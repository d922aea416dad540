/** The campaigns of a private engine: the mixture that was asked for, the same for the same seed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { fillStore } from "../../dist/load-test/own-campaigns.js";
import { openUsers } from "../../dist/load-test/users.js";
import { openStore } from "../../dist/store/store.js";

interface Made {
  id: number;
  target: string;
  priority: number;
  caps: number;
  members: string[];
}

function made(t: Test, campaigns: number, seed: number): Made[] {
  const dir = mkdtempSync(join(tmpdir(), "popup-own-"));
  const store = openStore(join(dir, "popup.db"), { actor: "test" });
  t.teardown(() => {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  fillStore(store, openUsers({ kind: "range", first: 1_001, last: 3_000 }), campaigns, seed);
  return store.campaigns.list().map(({ id, target, priority, caps, status }) => {
    t.equal(status, "active");
    const ids =
      target === "users"
        ? store.audiences.idsOf({ kind: "users", campaignId: id })
        : store.audiences.idsOf({ kind: "segment", name: target.slice("segment:".length) });
    return { id, target, priority, caps: caps.length, members: [...ids.integerIds()].map(String) };
  });
}

t.test("a fifth for all, the rest half segments and half own lists; members are of the users", async (t) => {
  const campaigns = made(t, 50, 1);
  const of = (pattern: RegExp): Made[] => campaigns.filter(({ target }) => pattern.test(target));
  t.same([of(/^all$/).length, of(/^segment:/).length, of(/^users$/).length], [10, 20, 20]);
  t.equal(new Set(campaigns.map(({ priority }) => priority)).size, 50);
  t.ok(
    of(/^all$/).every(({ caps }) => caps > 0),
    "one for all without a cap would hide the others",
  );
  t.ok(campaigns.some(({ caps }) => caps === 0));
  for (const { target, members } of campaigns.filter((campaign) => campaign.target !== "all")) {
    t.ok(members.length > 0 && members.length <= 400 && members.every((id) => Number(id) >= 1_001 && Number(id) <= 3_000), `${target}: ${members.length}`);
  }
});

t.test("the seed decides", async (t) => {
  t.same(made(t, 9, 4), made(t, 9, 4));
  t.notSame(made(t, 9, 4), made(t, 9, 5));
  t.equal(made(t, 1, 1).length, 1);
});
