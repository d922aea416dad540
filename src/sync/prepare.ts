/** Writing what a partition has of a changed audience beside the live one, part by part (src/audience-parts.ts): what a part held already is not sent. */
import { createHash, type Hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { PART_BYTES, PART_CHUNKS, partsOf, setPartOf } from "../audience-parts.js";
import { addToBloom, bloomBytes } from "../bloom.js";
import { CHUNK_BYTES, idsIn, unpackChunk } from "../chunk.js";
import type { RedisLink } from "../redis/cluster.js";
import { Keys } from "../redis/keys.js";
import type { Audience } from "../store/audiences.js";
import { type BoundedPipeline, bounded, makeRoom, writeBytes } from "./pipeline.js";
import type { AudienceShare } from "./shares.js";

/** What stands in Redis of an audience: a digest of each part, "" for one without members, which has no key. */
export interface PublishedParts {
  readonly main: readonly string[];
  readonly strings: readonly string[];
}
export interface PublishedAudience extends PublishedParts {
  readonly revision: string;
}

export interface Prepared {
  /** Which prepared key becomes which. */
  readonly moves: readonly (readonly [prepared: string, final: string])[];
  /** Live keys that the audience has no longer. */
  readonly gone: readonly string[];
  /** What the hash of published things will say of it. */
  readonly published: string;
}

/** A prepared key whose publish died is gone after this long. */
const PREPARED_TTL_S = 3_600;
/** Members sent in one SADD; a few hundred microseconds of Redis' time. */
const SADD_MEMBERS = 250;
/** Millions of hashes take seconds; a sync has other work, such as counters to look after. */
const MEMBERS_BETWEEN = 20_000;
/** What an engine without parts left: its key and that of the string ids may be there, with whatever they hold. */
const UNKNOWN: PublishedParts = { main: ["?"], strings: ["?"] };

/** What the hash of published things says of an audience. @param text undefined when it says nothing */
export function parsePublished(text: string | undefined): PublishedAudience {
  if (text === undefined) return { revision: "", main: [], strings: [] };
  return text.startsWith("{") ? (JSON.parse(text) as PublishedAudience) : { revision: "", ...UNKNOWN };
}

/** The keys under which parts stand. */
export function keysOf(key: string, { main, strings }: PublishedParts): string[] {
  const there = (name: string, parts: readonly string[]): string[] => parts.flatMap((digest, number) => (digest === "" ? [] : [Keys.part(name, number)]));
  return [...there(key, main), ...there(Keys.stringsBeside(key), strings)];
}

/**
 * Sends the parts of a share of an audience that differ from the live ones, under names of their own.
 * @param keys of the partition
 * @param audience with its revision in the partition
 * @param version of the publish that will switch to them
 * @param full send every part
 */
export async function prepareShare(
  redis: RedisLink,
  keys: Keys,
  audience: Audience,
  share: AudienceShare,
  version: string,
  live: PublishedParts,
  full: boolean,
): Promise<Prepared> {
  const key = keys.audience(audience.ref);
  const writer = new PartWriter(redis, keys, version, full);
  const parts = partsOf(audience.encoding, share);
  const everyone = (): Iterable<string> => allMembers(share);
  const main =
    audience.encoding === "bitmap"
      ? await sendBitmap(writer, key, share.chunks(), parts.main, live.main)
      : audience.encoding === "bloom"
        ? await sendBloom(writer, key, share, everyone(), live.main)
        : await sendSet(writer, key, everyone, parts.main, live.main);
  const beside = await sendSet(writer, Keys.stringsBeside(key), () => share.stringIds(), parts.strings, live.strings);
  await writer.end();
  const published: PublishedAudience = { revision: audience.revision, main, strings: beside };
  const now = new Set(keysOf(key, published));
  return { moves: writer.moves, gone: keysOf(key, live).filter((name) => !now.has(name)), published: JSON.stringify(published) };
}

class PartWriter {
  readonly moves: (readonly [string, string])[] = [];
  readonly #send: BoundedPipeline;

  constructor(
    redis: RedisLink,
    private readonly keys: Keys,
    private readonly version: string,
    private readonly full: boolean,
  ) {
    this.#send = bounded(redis);
  }

  /** The key to write a part under, or undefined when the live part is the same. */
  begin(key: string, number: number, digest: string, live: readonly string[]): string | undefined {
    if (digest === "" || (!this.full && digest === live[number])) return undefined;
    const final = Keys.part(key, number);
    const prepared = this.keys.prepared(final, this.version);
    this.moves.push([prepared, final]);
    return prepared;
  }

  async makeRoom(key: string, bytes: number): Promise<void> {
    await makeRoom(this.#send, key, bytes);
    await this.#send((p) => p.expire(key, PREPARED_TTL_S));
  }

  async write(key: string, at: number, bytes: Uint8Array): Promise<void> {
    await writeBytes(this.#send, key, at, bytes);
  }

  async add(key: string, members: readonly string[], first: boolean): Promise<void> {
    await this.#send((p) => p.sadd(key, ...members));
    if (first) await this.#send((p) => p.expire(key, PREPARED_TTL_S));
  }

  end(): Promise<void> {
    return this.#send.end();
  }
}

/** @returns a digest of each part */
async function sendBitmap(
  writer: PartWriter,
  key: string,
  chunks: Iterable<{ number: number; members: Uint8Array }>,
  parts: number,
  live: readonly string[],
): Promise<string[]> {
  const digests = Array.from({ length: parts }, () => "");
  let together: { number: number; members: Uint8Array }[] = [];
  const flush = async (): Promise<void> => {
    const last = together.at(-1);
    if (!last) return;
    const part = Math.floor(last.number / PART_CHUNKS);
    const digest = digestOf(
      (hash) => together.forEach(({ number, members }) => hash.update(`${number % PART_CHUNKS} ${members.length} `).update(members)),
      "bitmap",
    );
    digests[part] = digest;
    const prepared = writer.begin(key, part, digest, live);
    if (prepared !== undefined) {
      const bits = together.map(({ number, members }) => ({ at: (number % PART_CHUNKS) * CHUNK_BYTES, bytes: withoutEnd(unpackChunk(members)) }));
      await writer.makeRoom(prepared, (last.number % PART_CHUNKS) * CHUNK_BYTES + (bits.at(-1)?.bytes.length ?? 0));
      for (const { at, bytes } of bits) await writer.write(prepared, at, bytes);
    }
    together = [];
  };
  for (const chunk of chunks) {
    if (Math.floor((together[0]?.number ?? chunk.number) / PART_CHUNKS) !== Math.floor(chunk.number / PART_CHUNKS)) await flush();
    together.push(chunk);
  }
  await flush();
  return digests;
}

/** Zero bytes at the end would only make the string longer; a missing byte reads as zero. */
const withoutEnd = (bits: Uint8Array): Uint8Array => bits.subarray(0, bits.findLastIndex((byte) => byte !== 0) + 1);

async function sendBloom(
  writer: PartWriter,
  key: string,
  { integers, strings }: AudienceShare,
  members: Iterable<string>,
  live: readonly string[],
): Promise<string[]> {
  if (integers + strings === 0) return [""];
  const filter = Buffer.alloc(bloomBytes(integers + strings));
  let added = 0;
  for (const member of members) {
    addToBloom(filter, member);
    if (++added % MEMBERS_BETWEEN === 0) await setImmediate();
  }
  const digests: string[] = [];
  for (let part = 0; part * PART_BYTES < filter.length; part++) {
    const bytes = filter.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
    const digest = digestOf((hash) => hash.update(bytes), "bloom");
    digests.push(digest);
    const prepared = writer.begin(key, part, digest, live);
    if (prepared === undefined) continue;
    // The lengths of all parts together say how many bits there are.
    await writer.makeRoom(prepared, bytes.length);
    await writer.write(prepared, 0, bytes);
  }
  return digests;
}

/** @param members asked twice: first for the digests, then for what is to be sent */
async function sendSet(writer: PartWriter, key: string, members: () => Iterable<string>, parts: number, live: readonly string[]): Promise<string[]> {
  // An audience that has no such set: its members need not be read for that.
  if (parts === 0) return [];
  const hashes = Array.from({ length: parts }, () => createHash("sha256").update("set"));
  const counts = hashes.map(() => 0);
  let read = 0;
  for (const member of members()) {
    const part = setPartOf(member, parts);
    hashes[part]?.update(`${member}\n`);
    counts[part] = (counts[part] ?? 0) + 1;
    if (++read % MEMBERS_BETWEEN === 0) await setImmediate();
  }
  const digests = hashes.map((hash, part) => (counts[part] === 0 ? "" : shortened(hash)));
  const waiting = digests.map((digest, part) => ({ key: writer.begin(key, part, digest, live), members: [] as string[], first: true }));
  const flush = async (part: (typeof waiting)[number], name: string): Promise<void> => {
    const together = part.members;
    part.members = [];
    await writer.add(name, together, part.first);
    part.first = false;
  };
  if (waiting.every((part) => part.key === undefined)) return digests;
  for (const member of members()) {
    const part = waiting[setPartOf(member, parts)];
    if (part?.key === undefined) continue;
    part.members.push(member);
    if (part.members.length === SADD_MEMBERS) await flush(part, part.key);
  }
  for (const part of waiting) if (part.key !== undefined && part.members.length > 0) await flush(part, part.key);
  return digests;
}

/** @param kind the same bytes mean something else in another encoding */
function digestOf(feed: (hash: Hash) => void, kind: "bitmap" | "bloom"): string {
  const hash = createHash("sha256").update(kind);
  feed(hash);
  return shortened(hash);
}

/** 96 bits: two parts that differ and look alike are not to be expected in the life of a bank. */
const shortened = (hash: Hash): string => hash.digest("base64url").slice(0, 16);

function* allMembers(share: AudienceShare): Generator<string> {
  for (const { number, members } of share.chunks()) {
    for (const id of idsIn(number, members)) yield String(id);
  }
  yield* share.stringIds();
}
