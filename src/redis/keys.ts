/** Every Redis key name of the engine (DESIGN §7). */
import type { AudienceRef } from "../audience.js";
import { partitionOf, type Share, WHOLE } from "../partition.js";

/** The names of this file, without what is before them. */
const OURS = /^(?:campaigns:|campaign:\d|segment:|audiences:|counters:verified$|impressions$|user:.*:impressions$)/;

/** The names of one partition; where there is only one, of everything. */
export class Keys {
  /** Before every name of the partition. Redis Cluster puts what is in braces alone into one slot. */
  private readonly prefix: string;

  /**
   * @param root put before every name, with its own separator: `bank1:`
   * @param share the partition whose names these are
   */
  constructor(
    private readonly root: string = "",
    readonly share: Share = WHOLE,
  ) {
    this.prefix = share.count === 1 ? root : `${root}{p${share.number}}:`;
  }

  /** The names of each of so many partitions, in their order. */
  split(count: number): readonly Keys[] {
    if (count === this.share.count && count === 1) return [this];
    return Array.from({ length: count }, (_, number) => new Keys(this.root, { number, count }));
  }

  /** The names of the partition that a user is in, of so many. */
  ofUser(userId: string, count: number): Keys {
    return count === 1 && this.share.count === 1 ? this : new Keys(this.root, { number: partitionOf(userId, count), count });
  }

  /** STRING: how many partitions there are, `src/redis/layout.ts`; of all of them, and so in none. */
  get layout(): string {
    return `${this.root}campaigns:partitions`;
  }

  /** STRING: the packed campaign list, `src/packed-list.ts`. */
  get list(): string {
    return `${this.prefix}campaigns:compiled`;
  }
  /** STRING: JSON, what an API process needs to know of the packed list. */
  get manifest(): string {
    return `${this.prefix}campaigns:manifest`;
  }
  /** STRING: changes with every publish. */
  get version(): string {
    return `${this.prefix}campaigns:version`;
  }
  /** STRING: the run id of the server whose counters sync has found whole, a blank, and a word for that look; of any other server they are not used. */
  get verified(): string {
    return `${this.prefix}counters:verified`;
  }
  /** ZSET: active campaign ids by priority. */
  get active(): string {
    return `${this.prefix}campaigns:active`;
  }
  /** HASH: what the last publish left: the list's digest, and a revision for each audience and meta key. */
  get published(): string {
    return `${this.prefix}campaigns:published`;
  }
  /** STREAM: events awaiting the worker. */
  get stream(): string {
    return `${this.prefix}impressions`;
  }
  /** HASH: a campaign's fields, kept until late reports are no longer taken. */
  meta(campaignId: number): string {
    return `${this.prefix}campaign:${campaignId}:meta`;
  }
  /** HASH: a user's record, `lua/lib/record.lua`. */
  record(userId: string): string {
    return `${this.prefix}user:${userId}:impressions`;
  }
  /** What SCAN finds the records of all partitions by, of one or of several. */
  recordPattern(count: number): string {
    return `${this.#pattern(count)}user:*:impressions`;
  }
  /** What SCAN finds all keys by, and those of others too: {@link Keys.placeOf} tells. */
  get everyPattern(): string {
    return `${this.#pattern(1)}*`;
  }
  #pattern(count: number): string {
    return `${this.root.replace(/[*?[\]\\]/g, "\\$&")}${count === 1 ? "" : "{p*}:"}`;
  }
  /**
   * Where a key stands: its partition's number, null where there is only one, and its name in there. Undefined for a key of others, and for
   * that of the layout, which is in no partition.
   */
  placeOf(key: string): { readonly number: number | null; readonly name: string } | undefined {
    const name = key.slice(this.root.length);
    if (!key.startsWith(this.root)) return undefined;
    const [, tag, rest] = /^\{p(0|[1-9]\d{0,3})\}:(.*)$/s.exec(name) ?? [];
    const place = tag === undefined || rest === undefined ? { number: null, name } : { number: Number(tag), name: rest };
    return OURS.test(place.name) && key !== this.layout ? place : undefined;
  }
  /** Whose record a key is, of so many partitions; undefined for any other key, and for a record outside of its user's partition, which is nobody's. */
  userOfRecord(key: string, count: number): string | undefined {
    const place = this.placeOf(key);
    const [before, after] = ["user:", ":impressions"];
    if (!place?.name.startsWith(before) || !place.name.endsWith(after)) return undefined;
    const user = place.name.slice(before.length, -after.length);
    return (place.number ?? 0) === partitionOf(user, count) ? user : undefined;
  }
  /** STRING bitmap or bloom filter, or SET: an audience, or the first part of a large one. */
  audience(ref: AudienceRef): string {
    return ref.kind === "segment" ? `${this.prefix}segment:${ref.name}:users` : `${this.prefix}campaign:${ref.campaignId}:users`;
  }
  /** SET: the string ids of an audience whose integers are a bitmap. */
  audienceStrings(ref: AudienceRef): string {
    return Keys.stringsBeside(this.audience(ref));
  }
  static stringsBeside(audienceKey: string): string {
    return `${audienceKey}:strings`;
  }
  /** A part of a large audience, `src/audience-parts.ts`; the first is the key itself. */
  static part(key: string, number: number): string {
    return number === 0 ? key : `${key}:${number}`;
  }
  /** HASH: the builds of the audience index whose keys may exist: generation → where its rows lie. */
  get generations(): string {
    return `${this.prefix}audiences:generations`;
  }
  /** STRING or HASH: the rows of 65,536 integer ids in the audience index, `src/audience-rows.ts`. */
  rowBlock(generation: string, block: number): string {
    return `${this.prefix}audiences:rows:${generation}:${block}`;
  }
  /** HASH: the rows of some string ids in the audience index. */
  rowBucket(generation: string, bucket: number): string {
    return `${this.prefix}audiences:rows:${generation}:s${bucket}`;
  }
  /** Where an audience is prepared until the switch; expires when the switch never comes. */
  prepared(key: string, version: string): string {
    return `${key}:prepared:${version}`;
  }
}
