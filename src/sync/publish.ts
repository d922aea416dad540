/** Publishing: what the store has and Redis has not is prepared beside what is live, then switched at once. */
import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Redis } from "ioredis";
import { addToBloom, bloomBytes } from "../bloom.js";
import { bitmapBytes } from "../encoding.js";
import { PopupError } from "../errors.js";
import { CHUNK_BITS, CHUNK_BYTES, eachMember, unpackChunk } from "../chunk.js";
import { packList, packManifest, VERSION_LENGTH } from "../packed-list.js";
import { Keys } from "../redis/keys.js";
import { decodeReply, Script } from "../redis/script.js";
import type { Audience } from "../store/audiences.js";
import type { Store } from "../store/store.js";
import { INDEX_FIELD, parseIndex, type BuiltIndex } from "./audience-index.js";
import { extendRecords, laterEnds } from "./extend.js";
import { bounded, type BoundedPipeline } from "./pipeline.js";
import { planPublish, type PublishPlan } from "./plan.js";

export interface PublishResult {
  /** The version that is live now; unchanged when there was nothing to publish. */
  readonly version: string;
  readonly campaigns: number;
  readonly audiences_sent: number;
  readonly seconds: number;
}

const publishScript = new Script("publish");
/** A prepared audience whose publish died is gone after this long. */
const PREPARED_TTL_S = 3_600;
/** Members sent in one SADD; a few hundred microseconds of Redis' time. */
const SADD_MEMBERS = 250;
/** Bytes of a bloom filter in one SETRANGE; some tens of microseconds of Redis' time. */
const BLOOM_PIECE_BYTES = 65_536;
const MEMBERS_BETWEEN = 20_000;
/** Two publishers at once make one start over; this many times in a row do not happen. */
const ATTEMPTS = 10;
const DIGEST_FIELD = "list";

export interface PublishOptions {
  /** Send everything, whatever Redis says it has, and do without the audience index that is there. */
  readonly full?: boolean;
  /** An audience index to put into use instead of the one that is. */
  readonly index?: BuiltIndex;
}

/**
 * Brings Redis to what the store has. Nothing is written when nothing changed.
 * @param now epoch ms
 * @throws PopupError `conflict` when others keep publishing
 */
export async function publish(store: Store, redis: Redis, keys: Keys, now: number, { full = false, index }: PublishOptions = {}): Promise<PublishResult> {
  const started = performance.now();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // The version first, the store after it: who switches on top of it has seen at least that store.
    const base = await redis.get(keys.version);
    const live = await redis.hgetall(keys.published);
    const plan = planPublish(store, now, index ?? (full ? null : parseIndex(live[INDEX_FIELD])));
    const wanted = wantedState(plan, keys);
    const listThere = (await redis.exists(keys.list)) === 1;
    const result = (version: string, sent: number): PublishResult => ({
      version, campaigns: plan.list.active.length, audiences_sent: sent, seconds: Math.round(performance.now() - started) / 1000,
    });
    if (!full && base !== null && listThere && sameState(live, wanted)) return result(base, 0);

    const version = newVersion(now);
    const changed = plan.audiences.filter((audience) => full || live[keys.audience(audience.ref)] !== wanted[keys.audience(audience.ref)]);
    const moves: [string, string][] = [];
    for (const audience of changed) moves.push(...(await prepareAudience(store, redis, keys, audience, version)));
    const extended = await laterEnds(redis, keys, plan);
    // Before the switch too: after it the later end stands in Redis, and a crash would leave nothing to tell by.
    await extendRecords(store, redis, keys, extended, now);
    // What was sent has to be what was planned: a load in between makes this publish start over.
    const planned = plan.audiences.every((audience) => store.audiences.find(audience.ref)?.revision === audience.revision);
    const outcome = !planned ? "conflict" : await switchTo({ redis, keys, plan, base: base ?? "", version, moves, live, wanted, full, changed, now });
    if (outcome === "published") {
      // And after it, for reports that came in between; those from now on know the new end themselves.
      await extendRecords(store, redis, keys, extended, now);
      return result(version, changed.length);
    }
    await Promise.all(moves.map(([prepared]) => redis.unlink(prepared)));
    if (outcome === "lost" && index && (await redis.hexists(keys.generations, index.generation)) === 0) {
      throw new PopupError("conflict", "the audience index was removed before it came into use", { hint: "another sync tidied up; run popup sync again" });
    }
  }
  throw new PopupError("conflict", "another process keeps publishing to this Redis", { hint: "let one sync run at a time" });
}

/** What the hash of published things should say: the list's digest, and a revision for each audience and meta key. */
function wantedState(plan: PublishPlan, keys: Keys): Record<string, string> {
  const state: Record<string, string> = { [DIGEST_FIELD]: plan.digest };
  if (plan.index) state[INDEX_FIELD] = JSON.stringify(plan.index);
  for (const audience of plan.audiences) state[keys.audience(audience.ref)] = audience.revision;
  for (const meta of plan.metas) state[keys.meta(meta.campaignId)] = meta.revision;
  return state;
}

function sameState(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Sortable by time to the second; the random end tells two publishes of one second apart: `20261123T141500Z-9f3a01c`. */
function newVersion(now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${stamp}-${randomBytes(4).toString("hex")}`.slice(0, VERSION_LENGTH);
}

/** Writes an audience beside the live one; returns which prepared key becomes which. */
async function prepareAudience(store: Store, redis: Redis, keys: Keys, audience: Audience, version: string): Promise<[string, string][]> {
  const main = keys.audience(audience.ref);
  const strings = keys.audienceStrings(audience.ref);
  const moves: [string, string][] = [];
  const prepared = keys.prepared(main, version);
  const members = store.audiences.members.strings(audience.id);
  if (audience.encoding === "bloom") {
    if (await sendBloom(redis, prepared, audience, allMembers(store, audience.id, members))) moves.push([prepared, main]);
  } else if (audience.encoding === "bitmap") {
    if (await sendBitmap(store, redis, audience, prepared)) moves.push([prepared, main]);
    const preparedStrings = keys.prepared(strings, version);
    if (await sendMembers(redis, preparedStrings, members)) moves.push([preparedStrings, strings]);
  } else {
    if (await sendMembers(redis, prepared, allMembers(store, audience.id, members))) moves.push([prepared, main]);
  }
  return moves;
}

/** True when there was anything to send. */
async function sendBitmap(store: Store, redis: Redis, { id, integers, maxInteger }: Audience, key: string): Promise<boolean> {
  if (integers === 0) return false;
  const send = bounded(redis);
  await makeRoom(send, key, bitmapBytes(maxInteger));
  for (const { number, members: packed } of store.audiences.members.chunks(id)) {
    const bits = unpackChunk(packed);
    // Zero bytes at the end would only make the string longer; a missing byte reads as zero.
    const length = bits.findLastIndex((byte) => byte !== 0) + 1;
    await send((p) => p.setrange(key, number * CHUNK_BYTES, Buffer.from(bits.subarray(0, length))));
  }
  await send.end();
  return true;
}

/** Gives a string its whole length at once: growing piece by piece, Redis would copy what is there again and again, and keep twice the room. */
async function makeRoom(send: BoundedPipeline, key: string, bytes: number): Promise<void> {
  await send((p) => p.setrange(key, bytes - 1, "\0"));
  await send((p) => p.expire(key, PREPARED_TTL_S));
}

async function sendBloom(redis: Redis, key: string, { integers, strings }: Audience, members: Iterable<string>): Promise<boolean> {
  if (integers + strings === 0) return false;
  const filter = Buffer.alloc(bloomBytes(integers + strings));
  let added = 0;
  for (const member of members) {
    addToBloom(filter, member);
    // Millions of hashes take seconds; a sync has other work, such as counters to look after.
    if (++added % MEMBERS_BETWEEN === 0) await setImmediate();
  }
  const send = bounded(redis);
  // Its length says how many bits there are.
  await makeRoom(send, key, filter.length);
  for (let at = 0; at < filter.length; at += BLOOM_PIECE_BYTES) await send((p) => p.setrange(key, at, filter.subarray(at, at + BLOOM_PIECE_BYTES)));
  await send.end();
  return true;
}

async function sendMembers(redis: Redis, key: string, members: Iterable<string>): Promise<boolean> {
  const send = bounded(redis);
  let sent = false;
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    const together = batch;
    batch = [];
    if (together.length === 0) return;
    await send((p) => p.sadd(key, ...together));
    if (!sent) await send((p) => p.expire(key, PREPARED_TTL_S));
    sent = true;
  };
  for (const member of members) {
    batch.push(member);
    if (batch.length >= SADD_MEMBERS) await flush();
  }
  await flush();
  await send.end();
  return sent;
}

function* allMembers(store: Store, audienceId: number, strings: readonly string[]): Generator<string> {
  for (const { number, members } of store.audiences.members.chunks(audienceId)) {
    const ids: string[] = [];
    eachMember(members, (member) => ids.push(String(number * CHUNK_BITS + member)));
    yield* ids;
  }
  yield* strings;
}

interface Switch {
  redis: Redis; keys: Keys; plan: PublishPlan; base: string; version: string; moves: readonly [string, string][];
  live: Record<string, string>; wanted: Record<string, string>; full: boolean; changed: readonly Audience[]; now: number;
}

async function switchTo({ redis, keys, plan, base, version, moves, live, wanted, full, changed, now }: Switch): Promise<"published" | "conflict" | "lost"> {
  const removes = goneKeys(live, wanted, keys, changed, moves);
  const metas = plan.metas.filter((meta) => full || live[keys.meta(meta.campaignId)] !== meta.revision);
  const description = {
    moves: moves.length,
    removes: removes.length,
    active: plan.list.active.flatMap((campaign) => [campaign.priority, campaign.id]),
    published: Object.entries(wanted).flat(),
    metas: metas.map((meta) => ({ ttl: Math.max(1, meta.keepUntil - now), fields: meta.fields })),
  };
  const reply = await publishScript.run(
    redis,
    [keys.list, keys.manifest, keys.version, keys.active, keys.published, keys.generations, ...moves.flat(), ...removes, ...metas.map((meta) => keys.meta(meta.campaignId))],
    [base, version, packList(plan.list, version), packManifest(plan.list, version), plan.index?.generation ?? "", JSON.stringify(description)],
  );
  return decodeReply("publish", reply, ["published", "conflict", "lost"]).tag;
}

/** What is live and wanted no more: keys of audiences and metas that left, and of a changed audience the parts it has no longer. */
function goneKeys(live: Record<string, string>, wanted: Record<string, string>, keys: Keys, changed: readonly Audience[], moves: readonly [string, string][]): string[] {
  const written = new Set(moves.map(([, final]) => final));
  const candidates = Object.keys(live).filter((name) => name !== DIGEST_FIELD && name !== INDEX_FIELD && !(name in wanted)).flatMap((name) => [name, Keys.stringsBeside(name)]);
  for (const audience of changed) candidates.push(keys.audience(audience.ref), keys.audienceStrings(audience.ref));
  return candidates.filter((key) => !written.has(key));
}
