/** Campaigns and audiences of a case, made from a seed and written into a store. */
import type { AudienceRef } from "../dist/audience.js";
import { CHUNK_BYTES } from "../dist/chunk.js";
import { IdSet } from "../dist/id-set.js";
import { createCampaign } from "../dist/store/campaign-changes.js";
import type { Store } from "../dist/store/store.js";
import { SeededRandom } from "./random.js";

/** Share of the users that are in a segment, in 256ths: 20 %. */
const SEGMENT_PARTS = 51;
/** Share of the users that are on a campaign's own list, in 256ths: 5 %. */
export const LIST_PARTS = 13;
/** The same where a case has a thousand lists: 1.2 %, so that they stay in the memory of a small machine. */
const SHORT_LIST_PARTS = 3;

type Kind = "all" | "segment" | "users" | "either";

export interface Population {
  readonly campaigns: number;
  /** Audiences hold ids of 0 ≤ id < users. */
  readonly users: number;
  readonly seed: number;
}

/** Of five campaigns one is for all, two for a segment each, two for a list of their own; priorities in random order. */
export function fillMixed(store: Store, population: Population): void {
  const kinds: readonly Kind[] = ["all", "segment", "users", "segment", "users"];
  fill(store, population, LIST_PARTS, (i) => kinds[i % kinds.length] ?? "all");
}

/** Of five campaigns two are for a segment each, two for a list of their own, one for either of those segments: a user of another range is in none. */
export function fillTargeted(store: Store, population: Population): void {
  const kinds: readonly Kind[] = ["segment", "users", "segment", "users", "either"];
  fill(store, population, LIST_PARTS, (i) => kinds[i % kinds.length] ?? "users");
}

/** Each for a list of its own. */
export function fillLists(store: Store, population: Population): void {
  fill(store, population, SHORT_LIST_PARTS, () => "users");
}

function fill(store: Store, { campaigns, users, seed }: Population, listParts: number, kindOf: (index: number) => Kind): void {
  const random = new SeededRandom(seed);
  const priorities = random.shuffled(Array.from({ length: campaigns }, (_, i) => i));
  /** The latest first. */
  const segments: string[] = [];
  store.transaction(() => {
    priorities.forEach((priority, i) => {
      const kind = kindOf(i);
      if (kind === "segment") {
        segments.unshift(`segment-${i}`);
        putAudience(store, { kind, name: `segment-${i}` }, randomIds(random, users, SEGMENT_PARTS));
      }
      const target = kind === "segment" ? `segment:${segments[0]}` : kind === "either" ? `segment:${segments[0]} | segment:${segments[1]}` : kind;
      const { id } = createCampaign(store, campaignInput(i, priority, target));
      if (kind === "users") putAudience(store, { kind, campaignId: id }, randomIds(random, users, listParts));
    });
  });
}

/** An active campaign whose answer is about 250 bytes, with the usual caps. */
export function campaignInput(index: number, priority: number, target: string): Record<string, unknown> {
  return {
    title: `Payday cashback ${index}`,
    body: "10% back on groceries this week, up to 50 per day.",
    image_url: `https://bank.example/campaigns/${index}/popup.png`,
    action_url: `bankapp:offers/cashback/${index}`,
    priority,
    target,
    caps: ["1/day", "3/total"],
    start_time: "2020-01-01T00:00:00Z",
    end_time: "2040-01-01T00:00:00Z",
    status: "active",
  };
}

/** Call it in a transaction. */
export function putAudience(store: Store, ref: AudienceRef, ids: IdSet): void {
  store.audiences.replace(ref, ids, "auto", "bench");
}

/** Ids of 0 ≤ id < users, each with the probability parts/256. */
export function randomIds(random: SeededRandom, users: number, parts: number): IdSet {
  const bits = random.bits(Math.ceil(users / 8), parts);
  // Bit 0 is the highest of byte 0: what is past the last user in the last byte goes.
  if (users % 8 !== 0) bits[bits.length - 1] = (bits.at(-1) ?? 0) & (0xff00 >> (users % 8));
  const ids = new IdSet();
  for (let at = 0; at < bits.length; at += CHUNK_BYTES) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    chunk.set(bits.subarray(at, at + CHUNK_BYTES));
    ids.putPacked(at / CHUNK_BYTES, chunk);
  }
  return ids;
}
