/** An audience as each partition has it: its members among the partition's users, the integers by their local ids. */
import { setImmediate } from "node:timers/promises";
import { CHUNK_BITS, eachMember } from "../chunk.js";
import type { IdCounts } from "../encoding.js";
import { IdSet } from "../id-set.js";
import { partitionOf, type Share } from "../partition.js";
import type { Audience } from "../store/audiences.js";
import type { Store } from "../store/store.js";

export interface AudienceShare extends IdCounts {
  /** The integer members chunk by chunk, ascending, packed. */
  chunks(): Iterable<{ number: number; members: Uint8Array }>;
  /** The string members, in order. */
  stringIds(): Iterable<string>;
}
export interface PartitionShare {
  /** The partition's number. */
  readonly partition: number;
  readonly share: AudienceShare;
}

/** String ids that are held in memory: those of as many partitions as fit are read together. */
const MOST_STRINGS = 500_000;
/** Reading millions takes seconds; a sync has other work. */
const BETWEEN = 50_000;

/** Changes with the audience's members, and with the users a partition is of: what is published under the same one is not sent again. */
export function revisionIn({ count }: Share, { revision }: Audience): string {
  return count === 1 ? revision : `${revision}/${count}`;
}

/**
 * The shares of an audience in some partitions, some at a time. The integers are read once, the strings as often as memory asks for.
 * @param wanted the partitions' numbers
 * @param count how many partitions there are
 */
export async function* sharesOf(store: Store, audience: Audience, wanted: readonly number[], count: number): AsyncGenerator<readonly PartitionShare[]> {
  const { members } = store.audiences;
  if (count === 1) {
    yield [{ partition: 0, share: { ...audience, chunks: () => members.chunks(audience.id), stringIds: () => members.strings(audience.id) } }];
    return;
  }
  const integers = await splitIntegers(store, audience, wanted, count);
  const together = Math.max(1, Math.floor((MOST_STRINGS * count) / Math.max(1, audience.strings)));
  for (let from = 0; from < wanted.length; from += together) {
    const numbers = wanted.slice(from, from + together);
    const strings = audience.strings === 0 ? new Map<number, string[]>() : await splitStrings(store, audience, numbers, count);
    yield numbers.map((partition) => {
      const { ids, size, max } = integers.get(partition) ?? EMPTY;
      const own = strings.get(partition) ?? [];
      return { partition, share: { integers: size, strings: own.length, maxInteger: max, chunks: () => ids.packed(), stringIds: () => own } };
    });
  }
}

interface LocalIntegers {
  readonly ids: IdSet;
  size: number;
  max: number;
}
const EMPTY: LocalIntegers = { ids: new IdSet(), size: 0, max: -1 };

async function splitIntegers(store: Store, audience: Audience, wanted: readonly number[], count: number): Promise<ReadonlyMap<number, LocalIntegers>> {
  const found = new Map<number, LocalIntegers>();
  if (audience.integers === 0) return found;
  const byNumber: (LocalIntegers | undefined)[] = [];
  for (const number of wanted) found.set(number, (byNumber[number] = { ids: new IdSet(), size: 0, max: -1 }));
  let read = 0;
  for (const { number, members } of store.audiences.members.chunks(audience.id)) {
    eachMember(members, (member) => {
      const id = number * CHUNK_BITS + member;
      const partition = id % count;
      const own = byNumber[partition];
      read++;
      if (!own) return;
      own.max = (id - partition) / count;
      own.size++;
      own.ids.addInteger(own.max);
    });
    if (read < BETWEEN) continue;
    read = 0;
    await setImmediate();
  }
  return found;
}

async function splitStrings(store: Store, audience: Audience, wanted: readonly number[], count: number): Promise<ReadonlyMap<number, string[]>> {
  const found = new Map(wanted.map((number): [number, string[]] => [number, []]));
  let read = 0;
  for (const id of store.audiences.members.strings(audience.id)) {
    found.get(partitionOf(id, count))?.push(id);
    if (++read % BETWEEN === 0) await setImmediate();
  }
  return found;
}
