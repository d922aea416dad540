/** A case of the property tests: a random world, steps in it, and every reply against the model of DESIGN §4 to §6. */
import { partitionOf } from "../../dist/partition.js";
import { type RedisLink, serversOf } from "../../dist/redis/cluster.js";
import type { ReportAsk, SelectAsk } from "../../dist/redis/decisions.js";
import { Keys } from "../../dist/redis/keys.js";
import { openStore } from "../../dist/store/store.js";
import { windowsReader } from "../../dist/time.js";
import { Model } from "./model.js";
import type { Random } from "./random.js";
import { caps, capText, change, DAY, fillWorld, goLive, later, STARTS, USERS, ZONES } from "./random-world.js";
import { readStream } from "./stream.js";
import { type Live, type Outcome, reportAll, selectAll } from "./worksheet.js";

const STEPS = 70;
const keys = new Keys();

export interface Failure {
  readonly where: string;
  readonly wanted: unknown;
  readonly found: unknown;
  readonly state: unknown;
}

/**
 * One random world with some steps in it, on an emptied Redis.
 * @param seen how often each reply was met; added to
 * @returns the first reply that is not the model's
 */
export async function runCase(redis: RedisLink, random: Random, partitions: number, seen: Map<string, number>): Promise<Failure | undefined> {
  await Promise.all(serversOf(redis).map((server) => server.flushall()));
  let now = random.pick(STARTS) + random.between(0, 6 * 3_600_000);
  const store = openStore(":memory:", { actor: "test", clock: () => now });
  try {
    store.settings.set("partitions", String(partitions));
    const parts = keys.split(partitions);
    const zone = random.pick(ZONES);
    const policy = random.chance(0.5) ? caps(random, 2) : [];
    const reserveS = random.pick([0, 0, 20, 3_600]);
    const world = fillWorld(store, random, now, { zone, policy, reserveS });
    const model = new Model(zone, policy);
    const windowsAt = windowsReader(zone);
    let live = await goLive(redis, keys, store, model, world, now, random);
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
      const wanted =
        type === "impression" ? model.impression(now, user, campaignId, ask.sessionId, id) : model.reaction(now, user, type, campaignId, ask.sessionId, id);
      if (wanted.tag !== "unknown" && wanted.tag !== "duplicate") posted.push({ user, id, at: now, kind: type });
      return { ask, wanted };
    };

    for (let step = 0; step < STEPS; step++) {
      now = later(random, now, model, world.campaigns, users, policy);
      if (random.chance(0.04)) {
        change(store, random, world);
        live = await goLive(redis, keys, store, model, world, now, random);
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
        const asks = gets.map(({ ask }) => ask);
        found = await ofEach(parts, asks, (part, own, i) => selectAll(redis, part, live[i] as Live, windows, own));
      } else {
        const posts = some(post);
        operations.push(...posts);
        const asks = posts.map(({ ask }) => ask);
        found = await ofEach(parts, asks, (part, own, i) => reportAll(redis, part, live[i]?.version ?? "", windows, own));
      }
      for (const [i, { ask, wanted }] of operations.entries()) {
        const kind = "type" in ask ? ask.type : "get";
        seen.set(`${kind}:${wanted.tag}`, (seen.get(`${kind}:${wanted.tag}`) ?? 0) + 1);
        if (same(wanted, found[i])) continue;
        const state = {
          ask,
          at: new Date(now).toISOString(),
          zone,
          policy: policy.map(capText),
          campaigns: world.campaigns,
          shows: model.history(ask.userId).shows,
        };
        return { where: `step ${step}, ask ${i} of ${together}`, wanted, found: found[i], state };
      }
    }
    for (const part of parts) {
      const failure = await compareEvents(redis, model, part);
      if (failure) return failure;
    }
    return undefined;
  } finally {
    store.close();
  }
}

/** Asks the partitions for their users, as the engine does; the answers are in the order of the asks. */
async function ofEach<A extends { readonly userId: string }>(
  parts: readonly Keys[],
  asks: readonly A[],
  ask: (part: Keys, own: readonly A[], number: number) => Promise<Outcome[]>,
): Promise<Outcome[]> {
  const answers = new Map<A, Outcome>();
  for (const [number, part] of parts.entries()) {
    const own = asks.filter(({ userId }) => partitionOf(userId, parts.length) === number);
    if (own.length > 0) for (const [i, answer] of (await ask(part, own, number)).entries()) answers.set(own[i] as A, answer);
  }
  return asks.map((one) => answers.get(one) as Outcome);
}

/** The partition's stream holds what the model says happened to its users, in its order: no count without its event. */
async function compareEvents(redis: RedisLink, model: Model, { stream, share }: Keys): Promise<Failure | undefined> {
  const found = await readStream(redis, stream);
  const events = model.events.filter(({ user }) => partitionOf(user, share.count) === share.number);
  const wanted = events.map((e) => ({
    ...e,
    session: e.session ?? "",
    campaign: String(e.campaign),
    at: String(e.at),
    over_cap: e.over_cap ? "1" : "0",
  }));
  const at = wanted.findIndex((event, i) => !same(event, found[i]));
  if (at < 0 && wanted.length === found.length) return undefined;
  return { where: `event ${at} of ${stream}`, wanted: wanted[at], found: found[at], state: { wanted: wanted.length, found: found.length } };
}

function same(a: unknown, b: unknown): boolean {
  const canonical = (value: unknown): string => JSON.stringify(Object.entries(value ?? {}).sort(([x], [y]) => (x < y ? -1 : 1)));
  return canonical(a) === canonical(b);
}
