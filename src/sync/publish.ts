/** Publishing: what the store has and Redis has not is prepared beside what is live, then switched at once, partition by partition. */
import { randomBytes } from "node:crypto";
import { audienceLabel } from "../audience.js";
import type { Campaign } from "../campaign.js";
import { inSlices } from "../each.js";
import { PopupError } from "../errors.js";
import { packManifest } from "../manifest.js";
import { packList, VERSION_LENGTH } from "../packed-list.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { decodeReply, Script } from "../redis/script.js";
import type { Audience } from "../store/audiences.js";
import type { Store } from "../store/store.js";
import { extendRecords, laterEnds } from "./extend.js";
import { checkNoMove, lookAtEach, partitionsToPublish, sayLayout } from "./partitions.js";
import { viewStore } from "./plan.js";
import { prepareShare } from "./prepare.js";
import { Publication } from "./publication.js";
import type { BuiltIndex } from "./row-writer.js";
import { sharesOf } from "./shares.js";

export interface PublishResult {
  /** The version that is live now, of several partitions the newest; unchanged when there was nothing to publish. */
  readonly version: string;
  readonly campaigns: number;
  readonly audiences_sent: number;
  /** Keys that were written for them: of a large audience only the parts that changed. */
  readonly parts_sent: number;
  readonly seconds: number;
}

const publishScript = new Script("publish");
/** Two publishers at once make one start over; this many times in a row do not happen. */
const ATTEMPTS = 10;
/** Partitions whose share of an audience is sent, or that are switched, at the same time. */
const TOGETHER = 8;

export interface PublishOptions {
  /** Send everything, whatever Redis says it has, and do without the audience index that is there. */
  readonly full?: boolean;
  /** An audience index to put into use instead of the one that is. */
  readonly index?: BuiltIndex;
}

/**
 * Brings Redis to what the store has. Nothing is written when nothing changed.
 * @param keys the names of all partitions; the store says how many there are
 * @param now epoch ms
 * @throws PopupError `conflict` when others keep publishing, or Redis holds other partitions than the store says
 */
export async function publish(store: Store, redis: RedisLink, keys: Keys, now: number, { full = false, index }: PublishOptions = {}): Promise<PublishResult> {
  const wanted = await partitionsToPublish(store, redis, keys);
  const indexes = index && new Map(wanted.parts.map((part) => [part, index]));
  const { result } = await publishParts(store, redis, wanted.parts, now, { full, indexes });
  await sayLayout(redis, keys, wanted);
  return result;
}

export interface Published {
  readonly result: PublishResult;
  /** The version that is live in each of the partitions, in their order. */
  readonly versions: readonly string[];
}

export interface PartsOptions {
  /** Send everything, whatever Redis says it has. */
  readonly full?: boolean;
  /** An audience index to put into use, for partitions that shall not keep the one they have. */
  readonly indexes?: ReadonlyMap<Keys, BuiltIndex> | undefined;
  /** True for the move of users itself. */
  readonly moving?: boolean;
}

/**
 * Brings some partitions to what the store has, each by a switch of its own.
 * @throws PopupError `conflict`; some partitions may be switched then
 */
export async function publishParts(
  store: Store,
  redis: RedisLink,
  parts: readonly Keys[],
  now: number,
  { full = false, indexes, moving = false }: PartsOptions = {},
): Promise<Published> {
  const started = performance.now();
  const versions = new Map<Keys, string>();
  const sent = new Set<string>();
  let partsSent = 0;
  let open = parts;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // The versions first, the store after them: who switches on top of one has seen at least that store.
    const states = await lookAtEach(open, (keys) => Publication.read(redis, keys, full));
    // What a move has put out of use shall not come back: it says so in the store before it does that in Redis.
    if (!moving) checkNoMove(store, parts);
    const view = viewStore(store, now);
    for (const state of states) state.want(view, indexes?.get(state.keys));
    const version = newVersion(now);
    await prepareAll(store, redis, view.audiences, states, version);
    const changed = states.filter((state) => state.plan());
    for (const state of states) if (!changed.includes(state)) versions.set(state.keys, state.base ?? "");
    const later = await inSlices(changed, TOGETHER, async ({ keys, planned }) => ({ keys, campaigns: await laterEnds(redis, keys, planned) }));
    // Before the switch too: after it the later end stands in Redis, and a crash would leave nothing to tell by.
    await extendRecords(store, redis, later, now);
    // What was sent has to be what was planned: a load in between makes this publish start over.
    const asPlanned = view.audiences.every((audience) => store.audiences.find(audience.ref)?.revision === audience.revision);
    const outcomes = await inSlices(changed, TOGETHER, (state) => (asPlanned ? switchTo(redis, state, version, now) : "conflict"));
    const done = changed.filter((_, i) => outcomes[i] === "published");
    for (const state of done) {
      versions.set(state.keys, version);
      for (const label of state.sent.keys()) sent.add(label);
      partsSent += state.moves.length;
    }
    // And after it, for reports that came in between; those from now on know the new end themselves.
    const switched = new Set(done.map(({ keys }) => keys));
    await extendRecords(
      store,
      redis,
      later.filter(({ keys }) => switched.has(keys)),
      now,
    );
    const left = changed.filter((state) => !done.includes(state));
    if (left.length === 0) {
      return {
        result: {
          version: [...versions.values()].sort().at(-1) ?? "",
          campaigns: view.active.filter(isActive).length,
          audiences_sent: sent.size,
          parts_sent: partsSent,
          seconds: Math.round(performance.now() - started) / 1000,
        },
        versions: parts.map((keys) => versions.get(keys) ?? ""),
      };
    }
    await inSlices(left, TOGETHER, (state) => Promise.all(state.moves.map(([prepared]) => redis.unlink(prepared))));
    for (const { keys } of left.filter((state) => outcomes[changed.indexOf(state)] === "lost")) {
      const index = indexes?.get(keys);
      if (index && (await redis.hexists(keys.generations, index.generation)) === 0)
        throw new PopupError("conflict", "the audience index was removed before it came into use", { hint: "another sync tidied up; run popup sync again" });
    }
    open = left.map(({ keys }) => keys);
  }
  throw new PopupError("conflict", "another process keeps publishing to this Redis", { hint: "let one sync run at a time" });
}

/** Sends what partitions lack, audience by audience: each is read once for all of them. */
async function prepareAll(store: Store, redis: RedisLink, audiences: readonly Audience[], states: readonly Publication[], version: string): Promise<void> {
  for (const audience of audiences) {
    const byNumber = new Map(states.filter((state) => state.lacks(audience)).map((state) => [state.keys.share.number, state]));
    const count = states[0]?.keys.share.count ?? 1;
    if (byNumber.size === 0) continue;
    for await (const shares of sharesOf(store, audience, [...byNumber.keys()], count)) {
      await inSlices(shares, TOGETHER, async ({ partition, share }) => {
        const state = byNumber.get(partition);
        if (!state) return;
        const own = state.own(audience);
        state.sent.set(audienceLabel(audience.ref), await prepareShare(redis, state.keys, own, share, version, state.published(audience), state.full));
      });
    }
  }
}

/** Drafts are listed for their test users. */
const isActive = ({ status }: Campaign): boolean => status === "active";

/** True when Redis has what the store has. @param now epoch ms */
export async function isPublished(store: Store, redis: RedisLink, keys: Keys, now: number): Promise<boolean> {
  const { parts } = await partitionsToPublish(store, redis, keys);
  const states = await lookAtEach(parts, (part) => Publication.read(redis, part, false));
  const view = viewStore(store, now);
  return states.every((state) => {
    state.want(view, undefined);
    return !view.audiences.some((audience) => state.lacks(audience)) && !state.plan();
  });
}

/** Sortable by time to the second; the random end tells two publishes of one second apart: `20261123T141500Z-9f3a01c`. */
function newVersion(now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${stamp}-${randomBytes(4).toString("hex")}`.slice(0, VERSION_LENGTH);
}

async function switchTo(redis: RedisLink, state: Publication, version: string, now: number): Promise<"published" | "conflict" | "lost"> {
  const { keys, planned, moves, removes, metas } = state;
  const description = {
    moves: moves.length,
    removes: removes.length,
    active: planned.list.active.filter(isActive).flatMap((campaign) => [campaign.priority, campaign.id]),
    published: Object.entries(state.wanted).flat(),
    metas: metas.map((meta) => ({ ttl: Math.max(1, meta.keepUntil - now), fields: meta.fields })),
  };
  const reply = await publishScript.run(
    redis,
    [
      keys.list,
      keys.manifest,
      keys.version,
      keys.active,
      keys.published,
      keys.generations,
      ...moves.flat(),
      ...removes,
      ...metas.map((meta) => keys.meta(meta.campaignId)),
    ],
    [
      state.base ?? "",
      version,
      packList(planned.list, version),
      packManifest(planned.list, version),
      planned.index?.generation ?? "",
      JSON.stringify(description),
    ],
  );
  return decodeReply("publish", reply, ["published", "conflict", "lost"]).tag;
}
