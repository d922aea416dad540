/**
 * Selection, caps, targets and reports against the model of DESIGN §4 to §6: random campaigns, users
 * and clocks, and every reply must be the model's. POPUP_SEED=N repeats a run.
 */
import t from "tap";
import type { ModelCampaign, ModelCap, ModelTarget } from "../helpers/model.js";
import { Model, targetText } from "../helpers/model.js";
import { Random, seedOfRun } from "../helpers/random.js";
import { startRedis } from "../helpers/redis.js";
import { readStream } from "../helpers/stream.js";
import { campaignInput } from "../helpers/engine.js";
import { IdSet } from "../../dist/id-set.js";
import { readLive, reportAll, selectAll, type Live, type Outcome } from "../helpers/worksheet.js";
import type { ReportAsk, SelectAsk } from "../../dist/redis/decisions.js";
import { Keys } from "../../dist/redis/keys.js";
import { createCampaign, setStatus } from "../../dist/store/campaign-changes.js";
import type { AudienceRef } from "../../dist/audience.js";
import { openStore, type Store } from "../../dist/store/store.js";
import { publish } from "../../dist/sync/publish.js";
import { refreshIndex } from "../../dist/sync/sync.js";
import { windowsReader } from "../../dist/time.js";

const CASES = 120;
const STEPS = 70;
const DAY = 86_400_000;
const ZONES = ["Asia/Jakarta", "Europe/Berlin", "UTC"];
/** Around a change of the clocks, a month's end, a year's end, and an ordinary day. */
const STARTS = ["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z", "2026-06-30T09:00:00Z", "2026-12-30T21:00:00Z", "2026-06-10T12:00:00Z"].map((text) => Date.parse(text));
/** Integer ids at the edges of bytes and chunks, and string ids that look like integers. */
const USERS = ["0", "7", "8", "65535", "65536", "1000003", "007", "4294967296", "anna@bank", "u-1"];
const SEGMENTS = ["payroll", "staff", "vip"];
const ROLLING = [1_000, 30_000, 900_000, 6 * 3_600_000, DAY, 7 * DAY];

const { redis } = await startRedis(t);
const keys = new Keys();

t.test("every reply is the model's", async (t) => {
  const seed = seedOfRun();
  t.comment(`seed ${seed}; POPUP_SEED=${seed} repeats it`);
  const seen = new Map<string, number>();
  for (let number = 0; number < CASES; number++) {
    const failure = await runCase(new Random((seed + number * 7919) >>> 0), seen);
    if (failure !== undefined) {
      t.fail(`seed ${seed}, case ${number}, ${failure.where}`, { expected: failure.wanted, found: failure.found, state: failure.state });
      return;
    }
  }
  t.comment([...seen].sort().map(([reply, times]) => `${reply} ${times}`).join(", "));
  for (const reply of ["get:show", "get:none", "impression:counted", "impression:duplicate", "impression:capped", "impression:unknown", "click:recorded", "dismiss:duplicate"]) {
    t.ok((seen.get(reply) ?? 0) > 0, `the run has met ${reply}`);
  }
});

interface Failure { readonly where: string; readonly wanted: unknown; readonly found: unknown; readonly state: unknown }

async function runCase(random: Random, seen: Map<string, number>): Promise<Failure | undefined> {
  await redis.flushall();
  let now = random.pick(STARTS) + random.between(0, 6 * 3_600_000);
  const store = openStore(":memory:", { actor: "test", clock: () => now });
  try {
    const zone = random.pick(ZONES);
    const policy = random.chance(0.5) ? caps(random, 2) : [];
    const reserveS = random.pick([0, 0, 20, 3_600]);
    const world = { campaigns: [] as ModelCampaign[], segments: new Map<string, Set<string>>(), lists: new Map<number, Set<string>>() };
    store.transaction(() => {
      store.settings.set("timezone", zone);
      store.settings.set("user_caps", policy.map(capText).join(","));
      store.settings.set("reserve", String(reserveS));
      for (const name of SEGMENTS) world.segments.set(name, load(store, random, { kind: "segment", name }));
      for (let i = random.between(2, 8); i > 0; i--) {
        const campaign = create(store, random, now, reserveS);
        world.campaigns.push(campaign);
        if (random.chance(0.7)) world.lists.set(campaign.id, load(store, random, { kind: "users", campaignId: campaign.id }));
      }
    });
    const model = new Model(zone, policy);
    const windowsAt = windowsReader(zone);
    let live = await goLive(store, model, world, now, random);
    const users = random.some(USERS, 0.4).concat("7");
    const posted: { user: string; id: string; at: number; kind: string }[] = [];
    const offered: { user: string; id: string; campaign: number }[] = [];
    let ids = 0;

    const session = (): string | null => (random.chance(0.6) ? `s${Math.floor(now / 14_400_000)}.${random.between(0, 1)}` : null);
    const get = (): { ask: SelectAsk; wanted: Outcome } => {
      const ask = { userId: random.pick(users), sessionId: session(), impressionId: `i${++ids}` };
      const shown = model.select(now, ask.userId, ask.sessionId, ask.impressionId);
      if (shown !== null) offered.push({ user: ask.userId, id: ask.impressionId, campaign: shown });
      return { ask, wanted: shown === null ? { tag: "none" } : { tag: "show", campaignId: shown } };
    };
    const post = (): { ask: ReportAsk; wanted: Outcome } => {
      const type = random.pick(["impression", "impression", "impression", "click", "dismiss"] as const);
      const user = random.pick(users);
      const offer = random.chance(0.6) ? offered.findLast((o) => o.user === user) : undefined;
      // Ids are known again for 24 h; what happens to older ones is nobody's promise.
      const old = random.chance(0.25) ? posted.findLast((p) => p.user === user && p.kind === type && p.at > now - DAY + 2_000) : undefined;
      const known = (id: string): boolean => posted.some((p) => p.user === user && p.kind === type && p.id === id);
      let id = old?.id ?? offer?.id ?? `i${++ids}`;
      if (!old && known(id)) id = `i${++ids}`;
      // What a GET counted by itself is remembered for a day as well.
      const served = model.events.find((e) => e.user === user && e.id === id && e.type === type);
      if (served && served.at <= now - DAY + 2_000) id = `i${++ids}`;
      const campaignId = offer?.campaign ?? (random.chance(0.05) ? 4_000_000_000 : random.pick(world.campaigns).id);
      const ask = { type, userId: user, campaignId, impressionId: id, sessionId: session() };
      const wanted = type === "impression" ? model.impression(now, user, campaignId, ask.sessionId, id) : model.reaction(now, user, type, campaignId, ask.sessionId, id);
      if (wanted.tag !== "unknown" && wanted.tag !== "duplicate") posted.push({ user, id, at: now, kind: type });
      return { ask, wanted };
    };

    for (let step = 0; step < STEPS; step++) {
      now = later(random, now, model, world.campaigns, users, policy);
      if (random.chance(0.04)) {
        change(store, random, world);
        live = await goLive(store, model, world, now, random);
      }
      // Those in one call are answered as if they had come one after another.
      const together = random.chance(0.3) ? random.between(2, 6) : 1;
      const windows = windowsAt(now);
      const some = <T>(make: () => T): T[] => Array.from({ length: together }, make);
      const operations: { ask: SelectAsk | ReportAsk; wanted: Outcome }[] = [];
      let found: Outcome[];
      if (random.chance(0.4)) {
        const gets = some(get);
        operations.push(...gets);
        found = await selectAll(redis, keys, live, windows, gets.map(({ ask }) => ask));
      } else {
        const posts = some(post);
        operations.push(...posts);
        found = await reportAll(redis, keys, live.version, windows, posts.map(({ ask }) => ask));
      }
      for (const [i, { ask, wanted }] of operations.entries()) {
        const kind = "type" in ask ? ask.type : "get";
        seen.set(`${kind}:${wanted.tag}`, (seen.get(`${kind}:${wanted.tag}`) ?? 0) + 1);
        if (same(wanted, found[i])) continue;
        const state = { ask, at: new Date(now).toISOString(), zone, policy: policy.map(capText), campaigns: world.campaigns, shows: model.history(ask.userId).shows };
        return { where: `step ${step}, ask ${i} of ${together}`, wanted, found: found[i], state };
      }
    }
    return await compareEvents(model);
  } finally {
    store.close();
  }
}

/** The stream holds what the model says happened, in its order: no count without its event. */
async function compareEvents(model: Model): Promise<Failure | undefined> {
  const found = await readStream(redis, keys.stream);
  const wanted = model.events.map((e) => ({ ...e, session: e.session ?? "", campaign: String(e.campaign), at: String(e.at), over_cap: e.over_cap ? "1" : "0" }));
  const at = wanted.findIndex((event, i) => !same(event, found[i]));
  if (at < 0 && wanted.length === found.length) return undefined;
  return { where: `event ${at}`, wanted: wanted[at], found: found[at], state: { wanted: wanted.length, found: found.length } };
}

/** Publishes; now and then with an audience index, which a later publish uses as far as it still holds. */
async function goLive(store: Store, model: Model, world: Parameters<Model["publish"]>[0], now: number, random: Random): Promise<Live> {
  await publish(store, redis, keys, now);
  if (random.chance(0.6)) await refreshIndex(store, redis, keys, () => now, { fewest: 1 });
  model.publish({ campaigns: [...world.campaigns], segments: new Map(world.segments), lists: new Map(world.lists) }, now);
  return readLive(redis, keys);
}

function load(store: Store, random: Random, ref: AudienceRef): Set<string> {
  const members = new Set(random.some(USERS, 0.5));
  const ids = new IdSet();
  for (const id of members) ids.add(id);
  store.audiences.replace(ref, ids, random.pick(["auto", "bitmap", "set", "bloom"]), "test");
  return members;
}

function create(store: Store, random: Random, now: number, reserveS: number): ModelCampaign {
  const own = random.pick([null, null, 0, 600]);
  const start = now + random.pick([-DAY, -DAY, -DAY, 0, 3_600_000, 2 * DAY]);
  const fields = {
    // Few priorities and ends, so that ties happen at every level of the order.
    priority: random.between(-1, 2), start, end: start + random.pick([3 * DAY, 10 * DAY, 10 * DAY, 400 * DAY]), status: random.pick(["active", "active", "active", "active", "draft"] as const),
    target: target(random, 3), caps: caps(random, 4), exempt: random.chance(0.2), stopAfter: random.some(["click", "dismiss"] as const, 0.3), serve: random.chance(0.3), reserveMs: (own ?? reserveS) * 1000,
  };
  const { id } = createCampaign(store, campaignInput({
    priority: fields.priority, start_time: new Date(start).toISOString(), end_time: new Date(fields.end).toISOString(), status: fields.status, target: targetText(fields.target),
    caps: fields.caps.map(capText), exempt: fields.exempt, stop_after: fields.stopAfter, count_on: fields.serve ? "serve" : "impression", reserve: own,
  }));
  return { id, ...fields };
}

/** Something an operator does: a status, new members, a segment that goes away. */
function change(store: Store, random: Random, world: { campaigns: ModelCampaign[]; segments: Map<string, Set<string>>; lists: Map<number, Set<string>> }): void {
  const at = random.between(0, world.campaigns.length - 1);
  const campaign = world.campaigns[at];
  if (!campaign) return;
  const what = random.between(0, 9);
  if (what < 5) {
    const next = { draft: ["active"], active: ["paused", "paused", "ended"], paused: ["active", "active", "ended"], ended: ["ended"] } as const;
    const status = random.pick<ModelCampaign["status"]>(next[campaign.status]);
    setStatus(store, campaign.id, status, "test");
    world.campaigns[at] = { ...campaign, status };
  } else if (what < 7) {
    world.lists.set(campaign.id, store.transaction(() => load(store, random, { kind: "users", campaignId: campaign.id })));
  } else {
    const name = random.pick(SEGMENTS);
    if (what < 9) world.segments.set(name, store.transaction(() => load(store, random, { kind: "segment", name })));
    else if (world.segments.delete(name)) store.transaction(() => store.audiences.delete({ kind: "segment", name }, "test"));
  }
}

/** Time goes on: a little, a lot, or exactly to where something changes. */
function later(random: Random, now: number, model: Model, campaigns: readonly ModelCampaign[], users: readonly string[], policy: readonly ModelCap[]): number {
  const choice = random.between(0, 11);
  if (choice < 3) return now;
  if (choice < 5) return now + random.between(1, 60_000);
  if (choice < 6) return now + random.between(60_000, 8 * 3_600_000);
  if (choice < 7) return now + (random.chance(0.3) ? random.between(DAY, 9 * DAY) : 0);
  const around = random.between(-1, 1);
  const border = choice < 8 ? model.nextMidnight(now) : choice < 9 ? random.pick(campaigns.flatMap((c) => [c.start, c.end])) : windowEnd();
  return border + around > now && border < now + 40 * DAY ? border + around : now;

  function windowEnd(): number {
    const shows = users.flatMap((user) => model.history(user).shows.slice(-4));
    const windows = [...campaigns.flatMap((c) => c.caps), ...policy].map((cap) => cap.window).filter((window) => typeof window === "number");
    return shows.length === 0 || windows.length === 0 ? now : random.pick(shows).at + random.pick(windows);
  }
}

function target(random: Random, depth: number): ModelTarget {
  const choice = random.between(0, depth > 0 ? 7 : 3);
  if (choice === 0) return { kind: "all" };
  if (choice === 1) return { kind: "users" };
  if (choice <= 3) return { kind: "segment", name: random.pick(SEGMENTS) };
  if (choice <= 5) return { kind: "not", of: target(random, depth - 1) };
  return { kind: choice === 6 ? "and" : "or", left: target(random, depth - 1), right: target(random, depth - 1) };
}

function caps(random: Random, most: number): ModelCap[] {
  return Array.from({ length: random.between(0, most) }, () => {
    const window = random.pick<ModelCap["window"]>(["total", "day", "week", "month", "session", ...ROLLING]);
    return { limit: window === "total" ? random.between(1, 6) : random.between(1, 4), window };
  });
}

function capText({ limit, window }: ModelCap): string {
  return `${limit}/${typeof window === "number" ? `${window / 1000}s` : window}`;
}

function same(a: unknown, b: unknown): boolean {
  const canonical = (value: unknown): string => JSON.stringify(Object.entries(value ?? {}).sort(([x], [y]) => (x < y ? -1 : 1)));
  return canonical(a) === canonical(b);
}
