/** How many partitions the keys in Redis are of. Sync writes it, and `popup repartition`; every other process learns it here. */
import { PopupError } from "../errors.js";
import { MOST_PARTITIONS } from "../partition.js";
import type { RedisLink } from "./cluster.js";
import type { Keys } from "./keys.js";

export interface Layout {
  readonly partitions: number;
  /** While users are being moved: how many partitions there will be. Nothing is decided or counted meanwhile. */
  readonly movingTo: number | null;
}

/** What nothing is said of: one partition, as ever. */
const FIRST: Layout = { partitions: 1, movingTo: null };

/** @throws PopupError `internal` for a text that this engine does not know; what Redis answers when it cannot tell */
export async function readLayout(redis: RedisLink, keys: Keys): Promise<Layout> {
  return parseLayout(await redis.get(keys.layout));
}

/** `64`, or `1>64` while users are being moved; null stands for one partition. */
function parseLayout(text: string | null): Layout {
  if (text === null) return FIRST;
  const [, from, , to] = /^(\d{1,4})(>(\d{1,4}))?$/.exec(text) ?? [];
  const layout = { partitions: Number(from), movingTo: to === undefined ? null : Number(to) };
  for (const count of [layout.partitions, layout.movingTo ?? 1]) {
    if (!(count >= 1 && count <= MOST_PARTITIONS))
      throw new PopupError("internal", `the key of the layout says "${text.slice(0, 20)}", which this engine does not know`, {
        hint: "a newer engine has written it: use that one everywhere",
      });
  }
  return layout;
}

export function layoutText({ partitions, movingTo }: Layout): string {
  return movingTo === null ? String(partitions) : `${partitions}>${movingTo}`;
}

export function sameLayout(a: Layout, b: Layout): boolean {
  return a.partitions === b.partitions && a.movingTo === b.movingTo;
}

/** The names of the partition that a user is in. @throws PopupError `unavailable` while users are being moved */
export async function keysOfUser(redis: RedisLink, keys: Keys, userId: string): Promise<Keys> {
  const { partitions, movingTo } = await readLayout(redis, keys);
  if (movingTo !== null)
    throw new PopupError("unavailable", `users are being moved to ${movingTo} partitions: nobody is shown a popup meanwhile`, {
      hint: `popup repartition ${movingTo} does it, and goes on where it was stopped`,
    });
  return keys.ofUser(userId, partitions);
}
