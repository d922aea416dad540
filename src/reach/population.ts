/** Everybody who is in any of some audiences, as the store has them: integer ids chunk by chunk, string ids one by one. */
import { type AudienceRef, audienceLabel } from "../audience.js";
import { CHUNK_BITS, CHUNK_BYTES, chunkWords, eachMember } from "../chunk.js";
import type { Store } from "../store/store.js";
import { mentionsUsers, segmentsOf, type Target } from "../target.js";
import { type Bits, type Leaf, or } from "./bits.js";

/** A target, and the campaign whose list `users` means; null where there is none. */
export interface Aim {
  readonly target: Target;
  readonly campaignId: number | null;
}

/** The audience that a leaf of a campaign's target names. */
export function refOf(leaf: Leaf, campaignId: number | null): AudienceRef {
  return leaf.kind === "segment" ? { kind: "segment", name: leaf.name } : { kind: "users", campaignId: campaignId ?? 0 };
}

/** The audiences that a target names. */
export function refsOf({ target, campaignId }: Aim): AudienceRef[] {
  const segments: AudienceRef[] = segmentsOf(target).map((name) => ({ kind: "segment", name }));
  return mentionsUsers(target) ? [...segments, refOf({ kind: "users" }, campaignId)] : segments;
}

/** Some of the users: what is said of them is in bits, of equal number and in the same order. */
export interface ChunkOfUsers {
  /** Everybody in the chunk who is in any of the audiences. */
  readonly everyone: Bits;
  readonly membersOf: (ref: AudienceRef) => Bits;
}

export class Population {
  readonly #slots = new Map<string, number>();
  readonly #ids: number[] = [];

  /** @param refs audiences; those that do not exist are empty */
  constructor(
    private readonly store: Store,
    refs: readonly AudienceRef[],
  ) {
    for (const ref of refs) {
      const label = audienceLabel(ref);
      const audience = this.#slots.has(label) ? undefined : store.audiences.find(ref);
      if (audience) this.#slots.set(label, this.#ids.push(audience.id) - 1);
    }
  }

  has(ref: AudienceRef): boolean {
    return this.#slots.has(audienceLabel(ref));
  }

  *chunks(): Generator<ChunkOfUsers> {
    const { members } = this.store.audiences;
    for (const number of members.blockNumbers(this.#ids)) {
      const bits = bitsOf(members.block(this.#ids, number));
      const ofSlot = (slot: number | undefined): Bits => (slot === undefined ? undefined : bits.get(slot)) ?? "nobody";
      yield { everyone: [...bits.values()].reduce<Bits>(or, "nobody"), membersOf: (ref) => ofSlot(this.#slots.get(audienceLabel(ref))) };
    }
  }

  /** Of each user with a string id, whether they are in an audience. */
  *strings(): Generator<(ref: AudienceRef) => boolean> {
    for (const { slots } of this.store.audiences.members.stringSlots(this.#ids)) {
      yield (ref) => {
        const slot = this.#slots.get(audienceLabel(ref));
        return slot !== undefined && slots.includes(slot);
      };
    }
  }
}

/** The place of each member of a chunk among those who are there, from 1; all 0 between two uses. */
const places = new Uint32Array(CHUNK_BITS);

/**
 * The members of each slot's audience as bits, 32 to a word. Where few are in the chunk at all, as of ids that lie far apart, only
 * those have a bit, in no order: a hundred users are counted in 4 words and not in 2,048.
 */
function bitsOf(audiences: readonly { slot: number; members: Uint8Array }[]): Map<number, Uint32Array> {
  if (audiences.some(({ members }) => members.length === CHUNK_BYTES)) return new Map(audiences.map(({ slot, members }) => [slot, chunkWords(members)]));
  let users = 0;
  for (const { members } of audiences) eachMember(members, (member) => (places[member] ||= ++users));
  const words = Math.ceil(users / 32);
  const bits = new Map(
    audiences.map(({ slot, members }) => {
      const own = new Uint32Array(words);
      eachMember(members, (member) => {
        const place = (places[member] ?? 0) - 1;
        own[place >> 5] = (own[place >> 5] ?? 0) | (1 << (place & 31));
      });
      return [slot, own];
    }),
  );
  for (const { members } of audiences) eachMember(members, (member) => (places[member] = 0));
  return bits;
}
