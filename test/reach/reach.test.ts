/** Sizes, overlaps and simulations against plain sets, and against what the engine decides. */
import t from "tap";
import type { AudienceRef } from "../../dist/audience.js";
import { IdSet } from "../../dist/id-set.js";
import { checkUser } from "../../dist/reach/check.js";
import { simulationPage } from "../../dist/reach/page.js";
import { overlapOf, reachOf } from "../../dist/reach/reach.js";
import { simulate } from "../../dist/reach/simulate.js";
import { updateCampaign } from "../../dist/store/campaign-changes.js";
import { parseTarget, type Target } from "../../dist/target.js";
import { startEngine } from "../helpers/engine.js";
import { Random, seedOfRun } from "../helpers/random.js";
import { testStore } from "../helpers/store.js";
import { Worksheet } from "../helpers/worksheet.js";

const NAMES = ["a", "b", "c", "d"];
const segment = (name: string): AudienceRef => ({ kind: "segment", name });
const idSet = (ids: Iterable<string>): IdSet => {
  const set = new IdSet();
  for (const id of ids) set.add(id);
  return set;
};
function randomTarget(random: Random, depth = 3): string {
  if (depth === 0 || random.chance(0.3)) return random.pick([...NAMES.map((name) => `segment:${name}`), "users", "all"]);
  const inner = (): string => randomTarget(random, depth - 1);
  return random.pick([() => `!${inner()}`, () => `(${inner()} & ${inner()})`, () => `(${inner()} | ${inner()})`])();
}
/** By the words of the design, one user at a time. */
function means(target: Target, isIn: (name: string) => boolean): boolean {
  if (target.kind === "all") return true;
  if (target.kind === "users") return isIn("users");
  if (target.kind === "segment") return isIn(target.name);
  if (target.kind === "not") return !means(target.of, isIn);
  return target.kind === "and" ? means(target.left, isIn) && means(target.right, isIn) : means(target.left, isIn) || means(target.right, isIn);
}

t.test("sizes and overlaps are those of plain sets", async (t) => {
  const random = new Random(seedOfRun());
  t.comment(`POPUP_SEED=${random.seed}`);
  for (let round = 0; round < 8; round++) {
    const { store } = testStore(t);
    const range = round % 2 === 0 ? 300 : 400_000;
    const sets = new Map(
      [...NAMES, "users"].map((name) => [
        name,
        new Set(Array.from({ length: random.between(0, 400) }, () => (random.chance(0.8) ? String(random.between(0, range)) : `u${random.between(0, 90)}`))),
      ]),
    );
    // So many in one chunk that it is bits in the store.
    if (round % 4 === 1) for (let n = 0; n < 4_500; n++) sets.get("a")?.add(String(10_000 + n));
    store.transaction(() => {
      for (const [name, ids] of sets) store.audiences.replace(name === "users" ? { kind: "users", campaignId: 5 } : segment(name), idSet(ids), "auto", "test");
    });
    const everyone = new Set([...sets.values()].flatMap((ids) => [...ids]));
    for (let n = 0; n < 60; n++) {
      const text = randomTarget(random);
      const target = parseTarget(text);
      const meant = [...everyone].filter((id) => means(target, (name) => sets.get(name)?.has(id) ?? false)).length;
      const open = means(target, () => false);
      // Of those who are in an audience that the target names, everyone but the rest is meant.
      const wanted = open ? { users: null, everyone_but: everyone.size - meant } : { users: meant, everyone_but: null };
      const got = reachOf(store, { target, campaignId: 5 });
      if (JSON.stringify(got) !== JSON.stringify(wanted)) t.same(got, wanted, text);
    }
    const refs = NAMES.map(segment);
    const common = NAMES.map((one) => NAMES.map((other) => [...(sets.get(one) ?? [])].filter((id) => sets.get(other)?.has(id)).length));
    t.same(overlapOf(store, refs), common);
  }
});

t.test("a simulation says what the engine decides for every user", async (t) => {
  const random = new Random(seedOfRun());
  t.comment(`POPUP_SEED=${random.seed}`);
  const engine = await startEngine(t, { http: false });
  const sheet = new Worksheet(engine);
  const { store } = engine;
  const DAY = 86_400_000;
  for (let round = 0; round < 5; round++) {
    for (const campaign of store.campaigns.list()) updateCampaign(store, campaign.id, { status: "ended" });
    const users = [...Array.from({ length: 60 }, (_, n) => String(n * 7)), ...Array.from({ length: 30 }, (_, n) => `u${n}`)];
    for (const name of NAMES) engine.audience(segment(name), random.some(users, random.next()));
    const ids: number[] = [];
    for (let n = 0; n < 8; n++) {
      const start = engine.now + random.pick([-1, -1, -1, 1]) * DAY;
      const id = engine.campaign({
        priority: random.between(0, 3),
        target: randomTarget(random),
        start_time: new Date(start).toISOString(),
        end_time: new Date(start + random.pick([3, 9]) * DAY).toISOString(),
      });
      if (random.chance(0.5)) engine.audience({ kind: "users", campaignId: id }, random.some(users, 0.3));
      ids.push(id);
    }
    await sheet.publish();
    for (const days of [0, 2, 5]) {
      engine.now += days * DAY;
      const result = simulate(store, engine.now);
      const shown = new Map<number | null, number>();
      const named = new Set<string>();
      for (const campaign of store.campaigns.list().filter((c) => c.status === "active" && c.start_time <= engine.now && engine.now < c.end_time)) {
        for (const name of NAMES) if (campaign.target.includes(`segment:${name}`)) for (const id of idsOf(store.audiences.idsOf(segment(name)))) named.add(id);
        if (campaign.target.includes("users")) for (const id of idsOf(store.audiences.idsOf({ kind: "users", campaignId: campaign.id }))) named.add(id);
      }
      const shownTo = async (user: string): Promise<number | null> => {
        const outcome = await sheet.select(user);
        if (outcome?.tag !== "show" && outcome?.tag !== "none") throw new Error(JSON.stringify(outcome));
        return outcome.campaignId ?? null;
      };
      for (const user of named) {
        const campaign = await shownTo(user);
        shown.set(campaign, (shown.get(campaign) ?? 0) + 1);
      }
      t.same(result.users, named.size, "those in the audiences");
      t.same(result.none, shown.get(null) ?? 0);
      t.same(
        result.campaigns.map((one) => [one.campaign_id, one.first]),
        result.campaigns.map((one) => [one.campaign_id, shown.get(one.campaign_id) ?? 0]),
      );
      t.same(result.campaigns.find((one) => one.shown_to_others)?.campaign_id ?? null, await shownTo("nobody-knows"));
      for (const one of result.campaigns) if (one.starved && one.first > 0) t.fail(`${one.campaign_id} is starved and shown`);
    }
  }
});
const idsOf = (ids: IdSet): string[] => [...[...ids.integerIds()].map(String), ...ids.strings];

t.test("a starved campaign is named with the one that takes its users", async (t) => {
  const engine = await startEngine(t, { http: false });
  engine.audience(segment("a"), ["1", "2", "x"]);
  engine.audience(segment("b"), ["1"]);
  const [first, second, third, last] = [
    engine.campaign({ priority: 9, target: "segment:a" }),
    engine.campaign({ priority: 8, target: "segment:b" }),
    engine.campaign({ priority: 7, target: "all" }),
    engine.campaign({ priority: 1, target: "!segment:a", title: "<b>last</b>" }),
  ];
  engine.audience(segment("gone"), ["1"]);
  engine.campaign({ priority: 0, target: "segment:a & !segment:gone" });
  engine.store.transaction(() => engine.store.audiences.delete(segment("gone"), "test"));
  const result = simulate(engine.store, engine.now);
  t.match(result, {
    users: 3,
    none: 0,
    campaigns: [
      { campaign_id: first, reach: 3, first: 3, starved: false },
      { campaign_id: second, reach: 1, first: 0, starved: true, starved_by: first },
      { campaign_id: third, reach: 3, first: 0, starved: false, shown_to_others: true },
      { campaign_id: last, reach: 0, starved: true, starved_by: third },
    ],
  });
  const page = simulationPage([result], "Asia/Jakarta", "1.2.3");
  t.match(page, "&lt;b&gt;last&lt;/b&gt;");
  t.notMatch(page, /https?:|<script|<b>last/, "needs nothing but itself");
});

t.test("string ids alone: the campaign that takes the users is named too", async (t) => {
  const engine = await startEngine(t, { http: false });
  engine.audience(segment("a"), ["x"]);
  engine.audience(segment("b"), ["y"]);
  engine.campaign({ priority: 9, target: "segment:a" });
  const [second, third] = [engine.campaign({ priority: 8, target: "segment:b" }), engine.campaign({ priority: 7, target: "segment:b" })];
  t.match(simulate(engine.store, engine.now).campaigns[2], { campaign_id: third, starved: true, starved_by: second });
});

t.test("a user's audiences, and the load that put them there", async (t) => {
  const { store } = testStore(t);
  const load = (name: string, ids: string[]): unknown => store.transaction(() => store.audiences.replace(segment(name), idSet(ids), "auto", "segment.load"));
  load("a", ["1", "x"]);
  load("a", ["1", "2", "x"]);
  load("a", ["1", "2", "3"]);
  load("b", ["2"]);
  t.match(checkUser(store, "1"), [{ ref: segment("a"), version: 1, load: { version: 1, what: "segment.load", who: "tester" } }]);
  t.match(checkUser(store, "2"), [
    { ref: segment("a"), version: 2 },
    { ref: segment("b"), version: 1 },
  ]);
  t.same(checkUser(store, "x"), [], "gone with the third");
  load("a", ["1", "2", "x"]);
  t.match(checkUser(store, "x"), [{ version: 4 }], "and back with the fourth");
  for (const id of ["11", "12", "13", "14", "15"]) load("b", ["2", id]);
  t.match(
    checkUser(store, "2").find(({ ref }) => ref.kind === "segment" && ref.name === "b"),
    { version: 1, load: null },
    "not by a load that only touched others near by",
  );
  store.transaction(() => store.audiences.rollBack(segment("a"), 2, "segment.rollback"));
  t.match(checkUser(store, "1"), [{ version: 1 }], "what a rollback leaves as it is");
  load("a", ["1", "2", "x"]);
  store.settings.set("audience_versions", "1");
  load("a", ["1", "x"]);
  t.match(checkUser(store, "x"), [{ version: 4, load: null }], "by a version that is not kept any more");
});
