/** Publishing: what the store has and Redis has not is prepared beside what is live, then switched at once. */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import type { Campaign } from "../campaign.js";
import { PopupError } from "../errors.js";
import { packManifest } from "../manifest.js";
import { packList, VERSION_LENGTH } from "../packed-list.js";
import type { Keys } from "../redis/keys.js";
import { decodeReply, Script } from "../redis/script.js";
import type { Store } from "../store/store.js";
import { type BuiltIndex, INDEX_FIELD, parseIndex } from "./audience-index.js";
import { extendRecords, laterEnds } from "./extend.js";
import { type PublishPlan, planPublish } from "./plan.js";
import { keysOf, type Prepared, parsePublished, prepareAudience } from "./prepare.js";

export interface PublishResult {
  /** The version that is live now; unchanged when there was nothing to publish. */
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
    const wanted = wantedState(plan, keys, live, full);
    const listThere = (await redis.exists(keys.list)) === 1;
    const result = (version: string, sent: readonly Prepared[]): PublishResult => ({
      version,
      campaigns: plan.list.active.filter(isActive).length,
      audiences_sent: sent.length,
      parts_sent: sent.reduce((sum, { moves }) => sum + moves.length, 0),
      seconds: Math.round(performance.now() - started) / 1000,
    });
    if (!full && base !== null && listThere && sameState(live, wanted)) return result(base, []);

    const version = newVersion(now);
    const prepared: Prepared[] = [];
    for (const audience of plan.audiences) {
      const key = keys.audience(audience.ref);
      if (wanted[key] !== UNSENT) continue;
      const one = await prepareAudience(store, redis, keys, audience, version, parsePublished(live[key]), full);
      wanted[key] = one.published;
      prepared.push(one);
    }
    const moves = prepared.flatMap((one) => one.moves);
    const extended = await laterEnds(redis, keys, plan);
    // Before the switch too: after it the later end stands in Redis, and a crash would leave nothing to tell by.
    await extendRecords(store, redis, keys, extended, now);
    // What was sent has to be what was planned: a load in between makes this publish start over.
    const planned = plan.audiences.every((audience) => store.audiences.find(audience.ref)?.revision === audience.revision);
    const removes = [...goneKeys(live, wanted), ...prepared.flatMap(({ gone }) => gone)];
    const outcome = !planned ? "conflict" : await switchTo({ redis, keys, plan, base: base ?? "", version, moves, removes, live, wanted, full, now });
    if (outcome === "published") {
      // And after it, for reports that came in between; those from now on know the new end themselves.
      await extendRecords(store, redis, keys, extended, now);
      return result(version, prepared);
    }
    await Promise.all(moves.map(([prepared]) => redis.unlink(prepared)));
    if (outcome === "lost" && index && (await redis.hexists(keys.generations, index.generation)) === 0) {
      throw new PopupError("conflict", "the audience index was removed before it came into use", { hint: "another sync tidied up; run popup sync again" });
    }
  }
  throw new PopupError("conflict", "another process keeps publishing to this Redis", { hint: "let one sync run at a time" });
}

/** Drafts are listed for their test users. */
const isActive = ({ status }: Campaign): boolean => status === "active";

/** True when Redis has what the store has. @param now epoch ms */
export async function isPublished(store: Store, redis: Redis, keys: Keys, now: number): Promise<boolean> {
  const live = await redis.hgetall(keys.published);
  return sameState(live, wantedState(planPublish(store, now, parseIndex(live[INDEX_FIELD])), keys, live, false));
}

/** Instead of what the hash of published things will say of an audience that has yet to be sent. */
const UNSENT = "";

/** What the hash of published things should say: the list's digest, the index, what was sent of each audience, and a revision for each meta key. */
function wantedState(plan: PublishPlan, keys: Keys, live: Record<string, string>, full: boolean): Record<string, string> {
  const state: Record<string, string> = { [DIGEST_FIELD]: plan.digest };
  if (plan.index) state[INDEX_FIELD] = JSON.stringify(plan.index);
  for (const { ref, revision } of plan.audiences) {
    const known = live[keys.audience(ref)];
    state[keys.audience(ref)] = !full && known !== undefined && parsePublished(known).revision === revision ? known : UNSENT;
  }
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

interface Switch {
  redis: Redis;
  keys: Keys;
  plan: PublishPlan;
  base: string;
  version: string;
  moves: readonly (readonly [string, string])[];
  removes: readonly string[];
  live: Record<string, string>;
  wanted: Record<string, string>;
  full: boolean;
  now: number;
}

async function switchTo({ redis, keys, plan, base, version, moves, removes, live, wanted, full, now }: Switch): Promise<"published" | "conflict" | "lost"> {
  const metas = plan.metas.filter((meta) => full || live[keys.meta(meta.campaignId)] !== meta.revision);
  const description = {
    moves: moves.length,
    removes: removes.length,
    active: plan.list.active.filter(isActive).flatMap((campaign) => [campaign.priority, campaign.id]),
    published: Object.entries(wanted).flat(),
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
    [base, version, packList(plan.list, version), packManifest(plan.list, version), plan.index?.generation ?? "", JSON.stringify(description)],
  );
  return decodeReply("publish", reply, ["published", "conflict", "lost"]).tag;
}

/** The keys of what is live and wanted no more; beside a meta key there is nothing to remove. */
function goneKeys(live: Record<string, string>, wanted: Record<string, string>): string[] {
  const gone = Object.entries(live).filter(([name]) => name !== DIGEST_FIELD && name !== INDEX_FIELD && !(name in wanted));
  return gone.flatMap(([name, text]) => keysOf(name, parsePublished(text)));
}
