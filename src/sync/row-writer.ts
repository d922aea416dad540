/** Writing the rows of one partition's users for a build of the audience index (src/audience-rows.ts). */
import { randomBytes } from "node:crypto";
import { audienceLabel } from "../audience.js";
import { type AudienceIndex, type BlockForm, BUCKET_IDS, bucketOf, rowWidth, toRanges } from "../audience-rows.js";
import { CHUNK_BITS } from "../chunk.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import type { Audience } from "../store/audiences.js";
import { type BoundedPipeline, bounded, makeRoom, writeBytes } from "./pipeline.js";
import { revisionIn } from "./shares.js";

/** An index, and the audience, with its revision, that each slot is of. */
export interface BuiltIndex extends AudienceIndex {
  readonly members: readonly (readonly [label: string, revision: string])[];
}

/** A build that was begun: when (epoch ms), and where its rows may lie. */
export interface Generation {
  readonly since: number;
  readonly blocks: readonly number[];
  readonly buckets: number;
}

/** Rows in one HSET. */
const ROWS_TOGETHER = 128;
/** What a row costs in a Redis hash beside its own bytes: in the compact form of up to 128 entries, and beyond (MEMORY USAGE, Redis 7.0). */
const COMPACT_ROWS = 128,
  COMPACT_ROW_BYTES = 8,
  LOOSE_ROW_BYTES = 72;

/** The rows of one partition's users. */
export class RowWriter {
  readonly generation = randomBytes(6).toString("hex");
  readonly #width: number;
  readonly #buckets: number;
  readonly #forms: Record<BlockForm, number[]> = { dense: [], sparse: [] };
  readonly #strings: BoundedPipeline;
  #rows: Buffer | undefined;
  #seen = new Uint8Array(0);

  constructor(
    private readonly redis: RedisLink,
    readonly keys: Keys,
    audiences: readonly Audience[],
  ) {
    this.#width = rowWidth(audiences.length);
    const strings = audiences.reduce((sum, { strings }) => sum + strings, 0);
    this.#buckets = Math.ceil(strings / keys.share.count / BUCKET_IDS);
    this.#strings = bounded(redis);
  }

  async register(now: number, blocks: readonly number[]): Promise<void> {
    const entry: Generation = { since: now, blocks: toRanges(blocks), buckets: this.#buckets };
    await this.redis.hset(this.keys.generations, this.generation, JSON.stringify(entry));
  }

  /** @param place of the user in the block */
  add(place: number, slot: number): void {
    if (!this.#rows) {
      this.#rows = Buffer.alloc(CHUNK_BITS * this.#width);
      this.#seen = new Uint8Array(CHUNK_BITS);
    }
    this.#seen[place] = 1;
    const at = place * this.#width + (slot >> 3);
    this.#rows[at] = (this.#rows[at] ?? 0) | (0x80 >> (slot & 7));
  }

  async sendBlock(block: number): Promise<void> {
    const [rows, seen] = [this.#rows, this.#seen];
    if (!rows) return;
    const form = chooseForm(seen, this.#width);
    this.#forms[form].push(block);
    await (form === "dense" ? sendDense : sendSparse)(this.redis, this.keys.rowBlock(this.generation, block), rows, seen, this.#width);
    this.#rows = undefined;
  }

  async sendString(id: string, slots: readonly number[]): Promise<void> {
    const row = Buffer.alloc(this.#width);
    for (const slot of slots) row[slot >> 3] = (row[slot >> 3] ?? 0) | (0x80 >> (slot & 7));
    await this.#strings((p) => p.hset(this.keys.rowBucket(this.generation, bucketOf(id, this.#buckets)), id, trimmed(row)));
  }

  end(): Promise<void> {
    return this.#strings.end();
  }

  built(audiences: readonly Audience[]): BuiltIndex {
    return {
      generation: this.generation,
      slots: audiences.length,
      dense: toRanges(this.#forms.dense),
      sparse: toRanges(this.#forms.sparse),
      buckets: this.#buckets,
      members: audiences.map((audience) => [audienceLabel(audience.ref), revisionIn(this.keys.share, audience)] as const),
    };
  }
}

function chooseForm(seen: Uint8Array, width: number): BlockForm {
  const users = seen.reduce((sum, one) => sum + one, 0);
  const sparse = users * (width + (users <= COMPACT_ROWS ? COMPACT_ROW_BYTES : LOOSE_ROW_BYTES));
  return (seen.lastIndexOf(1) + 1) * width <= sparse ? "dense" : "sparse";
}

async function sendDense(redis: RedisLink, key: string, rows: Buffer, seen: Uint8Array, width: number): Promise<void> {
  const send = bounded(redis);
  const length = (seen.lastIndexOf(1) + 1) * width;
  await makeRoom(send, key, length);
  await writeBytes(send, key, 0, rows.subarray(0, length));
  await send.end();
}

async function sendSparse(redis: RedisLink, key: string, rows: Buffer, seen: Uint8Array, width: number): Promise<void> {
  const send = bounded(redis);
  let fields: (string | Buffer)[] = [];
  const flush = async (): Promise<void> => {
    if (fields.length > 0) await send((p) => p.hset(key, ...fields), (fields.length / 2) * width);
    fields = [];
  };
  for (let member = seen.indexOf(1); member >= 0; member = seen.indexOf(1, member + 1)) {
    fields.push(String(member), trimmed(rows.subarray(member * width, (member + 1) * width)));
    if (fields.length >= ROWS_TOGETHER * 2) await flush();
  }
  await flush();
  await send.end();
}

/** A copy without the zero bytes at the end: a byte that is not there reads as zero. */
function trimmed(row: Uint8Array): Buffer {
  return Buffer.from(row.subarray(0, row.findLastIndex((byte) => byte !== 0) + 1));
}
