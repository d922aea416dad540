/** Everybody who is in any of some audiences, as the store has them: integer ids chunk by chunk, string ids one by one. */
import { audienceLabel, type AudienceRef } from "../audience.js";
import { chunkWords } from "../chunk.js";
import type { Store } from "../store/store.js";
import { segmentsOf, mentionsUsers, type Target } from "../target.js";
import { or, type Bits, type Leaf } from "./bits.js";

/** A target, and the campaign whose list `users` means; null where there is none. */
export interface Aim { readonly target: Target; readonly campaignId: number | null }

/** The audience that a leaf of a campaign's target names. */
export function refOf(leaf: Leaf, campaignId: number | null): AudienceRef {
  return leaf.kind === "segment" ? { kind: "segment", name: leaf.name } : { kind: "users", campaignId: campaignId ?? 0 };
}

/** The audiences that a target names. */
export function refsOf({ target, campaignId }: Aim): AudienceRef[] {
  const segments: AudienceRef[] = segmentsOf(target).map((name) => ({ kind: "segment", name }));
  return mentionsUsers(target) ? [...segments, refOf({ kind: "users" }, campaignId)] : segments;
}

export interface ChunkOfUsers {
  /** Everybody in the chunk who is in any of the audiences. */
  readonly everyone: Bits;
  readonly membersOf: (ref: AudienceRef) => Bits;
}

export class Population {
  readonly #slots = new Map<string, number>();
  readonly #ids: number[] = [];

  /** @param refs audiences; those that do not exist are empty */
  constructor(private readonly store: Store, refs: readonly AudienceRef[]) {
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
      const bits = new Map<number, Uint32Array>(members.block(this.#ids, number).map(({ slot, members: packed }) => [slot, chunkWords(packed)]));
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
