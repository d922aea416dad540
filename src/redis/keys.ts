/** Every Redis key name of the engine (DESIGN §7). */
import type { AudienceRef } from "../audience.js";

export class Keys {
  /** @param prefix put before every name, with its own separator: `bank1:` */
  constructor(private readonly prefix: string = "") {}

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
  /** What SCAN finds all records by. */
  get recordPattern(): string {
    return `${this.prefix.replace(/[*?[\]\\]/g, "\\$&")}user:*:impressions`;
  }
  /** The user of a record's key, undefined for any other key. */
  userOfRecord(key: string): string | undefined {
    const [before, after] = [`${this.prefix}user:`, ":impressions"];
    return key.startsWith(before) && key.endsWith(after) ? key.slice(before.length, -after.length) : undefined;
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
