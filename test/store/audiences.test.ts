import t from "tap";
import { IdSet } from "../../dist/id-set.js";
import { random } from "../helpers/refused.js";
import { testStore } from "../helpers/store.js";

const members = (set: IdSet): string[] => [...[...set.integerIds()].map(String), ...[...set.strings].sort()];
const setOf = (ids: Iterable<string>): IdSet => {
  const set = new IdSet();
  for (const id of ids) set.add(id);
  return set;
};
const segment = (name: string) => ({ kind: "segment", name }) as const;

t.test("replace and members are a round trip", async (t) => {
  const { store } = testStore(t);
  const below = random(t);
  for (const [name, count, range] of [
    ["empty", 0, 1],
    ["sparse", 300, 2 ** 32],
    ["dense", 9_000, 20_000],
    ["over-chunks", 5_000, 300_000],
  ] as const) {
    const ids = setOf(Array.from({ length: count }, () => String(below(range))));
    for (let n = 0; n < count / 10; n++) ids.strings.add(`user-${below(1_000)}`);
    const audience = store.transaction(() => store.audiences.replace(segment(name), ids, "bitmap", "test"));
    t.match(audience, { ref: segment(name), integers: ids.integers, strings: ids.strings.size, encoding: "bitmap" });
    t.same(members(store.audiences.idsOf(segment(name))), members(ids), name);
    t.same([...store.audiences.members.strings(audience.id)], [...ids.strings].sort());
    const chunks = [...store.audiences.members.chunks(audience.id)];
    const numbers = chunks.map((chunk) => chunk.number);
    t.same(
      numbers,
      [...numbers].sort((a, b) => a - b),
      "chunks ascend",
    );
    t.same(
      chunks.map(({ number, members: packed }) => ({ number, members: [...packed] })),
      [...ids.packed()].map(({ number, members: packed }) => ({ number, members: [...packed] })),
      `${chunks.length} chunks as they were`,
    );
  }
});

t.test("replacing leaves nothing of what was; the revision changes, the id stays", async (t) => {
  const at = testStore(t);
  const { store } = at;
  const replace = (ids: string[], encoding: "bitmap" | "set" = "set") =>
    store.transaction(() => store.audiences.replace(segment("s"), setOf(ids), encoding, "segment.load"));
  const first = replace(["1", "70000", "a"]);
  at.now += 5;
  const second = replace(["2", "b"], "bitmap");
  t.same(members(store.audiences.idsOf(segment("s"))), ["2", "b"]);
  t.equal(second.id, first.id);
  t.not(second.revision, first.revision);
  t.equal(second.loadedAt, first.loadedAt + 5);
  t.same(store.audiences.find(segment("s")), second);
  t.not(replace(["2", "b"], "bitmap").revision, second.revision);
  t.match(store.audit.all().slice(0, 2), [
    { what: "segment.load", subject: "segment:s", before: null, after: { ids: 3, encoding: "set", revision: first.revision } },
    {
      what: "segment.load",
      subject: "segment:s",
      before: { ids: 3, revision: first.revision },
      after: { ids: 2, encoding: "bitmap", revision: second.revision },
    },
  ]);
});

t.test("a user list and a segment of the same name are apart; deleting takes the members with it", async (t) => {
  const { store } = testStore(t);
  const users = { kind: "users", campaignId: 7 } as const;
  store.transaction(() => {
    store.audiences.replace(users, setOf(["1", "a"]), "set", "test");
    store.audiences.replace(segment("7"), setOf(["2"]), "set", "test");
  });
  t.same(
    store.audiences.list().map(({ ref }) => ref),
    [segment("7"), users],
  );
  t.equal(store.audiences.delete(users, "test"), true);
  t.equal(store.audiences.delete(users, "test"), false);
  t.equal(store.audiences.find(users), undefined);
  t.same(members(store.audiences.idsOf(users)), []);
  t.same(members(store.audiences.idsOf(segment("7"))), ["2"]);
  const again = store.transaction(() => store.audiences.replace(users, setOf([]), "set", "test"));
  t.same([[...store.audiences.members.chunks(again.id)], [...store.audiences.members.strings(again.id)]], [[], []], "no members come back");
  t.match(store.audit.all()[2], { what: "test", subject: "campaign:7:users", before: { ids: 2 }, after: null });
  t.equal(store.audit.all().length, 4, "deleting nothing is no change");
});
