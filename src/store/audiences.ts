/** Audiences and their members: a campaign's user list, or a named segment. */
import { randomUUID } from "node:crypto";
import type { Database, Statement } from "better-sqlite3";
import { audienceLabel, type AudienceRef } from "../audience.js";
import type { Encoding } from "../encoding.js";
import { PopupError } from "../errors.js";
import { IdSet, packChunk, unpackChunk } from "../id-set.js";
import type { Clock } from "../time.js";
import type { AuditLog } from "./audit.js";

export interface Audience {
  readonly id: number;
  readonly ref: AudienceRef;
  readonly encoding: Encoding;
  readonly integers: number;
  readonly strings: number;
  /** Changes with every change of the members or the encoding. */
  readonly revision: string;
  /** Epoch ms. */
  readonly loadedAt: number;
}

interface Row { id: number; kind: "users" | "segment"; name: string; encoding: Encoding; integers: number; strings: number; revision: string; loaded_at: number }

const storedName = (ref: AudienceRef): string => (ref.kind === "segment" ? ref.name : String(ref.campaignId));

export class AudienceTable {
  readonly #find: Statement<[string, string], Row>;
  readonly #list: Statement<[], Row>;
  readonly #upsert: Statement<Omit<Row, "id">, { id: number }>;
  readonly #delete: Statement<[number]>;
  readonly #chunks: Statement<[number], { number: number; members: Buffer }>;
  readonly #strings: Statement<[number], string>;
  readonly #blockNumbers: Statement<[string], number>;
  readonly #block: Statement<[string, number], { slot: number; members: Buffer }>;
  readonly #stringSlots: Statement<[string], { id: string; slots: string }>;
  readonly #deleteChunks: Statement<[number]>;
  readonly #deleteStrings: Statement<[number]>;
  readonly #putChunk: Statement<[number, number, Uint8Array]>;
  readonly #putString: Statement<[number, string]>;

  constructor(db: Database, private readonly audit: AuditLog, private readonly clock: Clock) {
    this.#find = db.prepare("SELECT * FROM audiences WHERE kind = ? AND name = ?");
    this.#list = db.prepare("SELECT * FROM audiences ORDER BY kind, name");
    this.#upsert = db.prepare(`
      INSERT INTO audiences (kind, name, encoding, integers, strings, revision, loaded_at)
      VALUES (@kind, @name, @encoding, @integers, @strings, @revision, @loaded_at)
      ON CONFLICT (kind, name) DO UPDATE SET encoding = excluded.encoding, integers = excluded.integers, strings = excluded.strings,
        revision = excluded.revision, loaded_at = excluded.loaded_at
      RETURNING id`);
    this.#delete = db.prepare("DELETE FROM audiences WHERE id = ?");
    this.#chunks = db.prepare("SELECT number, members FROM audience_chunks WHERE audience_id = ? ORDER BY number");
    this.#strings = db.prepare<[number], string>("SELECT user_id FROM audience_strings WHERE audience_id = ? ORDER BY user_id").pluck();
    // json_each gives the audiences in their order: its key is an audience's slot.
    this.#blockNumbers = db.prepare<[string], number>("SELECT DISTINCT c.number FROM json_each(?) s JOIN audience_chunks c ON c.audience_id = s.value ORDER BY c.number").pluck();
    this.#block = db.prepare("SELECT s.key AS slot, c.members FROM json_each(?) s JOIN audience_chunks c ON c.audience_id = s.value WHERE c.number = ?");
    this.#stringSlots = db.prepare("SELECT m.user_id AS id, group_concat(s.key) AS slots FROM json_each(?) s JOIN audience_strings m ON m.audience_id = s.value GROUP BY m.user_id");
    this.#deleteChunks = db.prepare("DELETE FROM audience_chunks WHERE audience_id = ?");
    this.#deleteStrings = db.prepare("DELETE FROM audience_strings WHERE audience_id = ?");
    this.#putChunk = db.prepare("INSERT INTO audience_chunks (audience_id, number, members) VALUES (?, ?, ?)");
    this.#putString = db.prepare("INSERT INTO audience_strings (audience_id, user_id) VALUES (?, ?)");
  }

  list(): Audience[] {
    return this.#list.all().map(fromRow);
  }

  find(ref: AudienceRef): Audience | undefined {
    const row = this.#find.get(ref.kind, storedName(ref));
    return row && fromRow(row);
  }

  /** The members of an audience; empty when there is no such audience. */
  members(ref: AudienceRef): IdSet {
    const ids = new IdSet();
    const audience = this.find(ref);
    if (!audience) return ids;
    for (const { number, members } of this.#chunks.iterate(audience.id)) ids.putPacked(number, members);
    for (const id of this.#strings.iterate(audience.id)) ids.strings.add(id);
    return ids;
  }

  /** The integer members chunk by chunk, as 8 KiB of bits each, ascending. */
  *chunks(audienceId: number): Generator<{ number: number; bits: Uint8Array }> {
    for (const { number, members } of this.#chunks.all(audienceId)) yield { number, bits: unpackChunk(members) };
  }

  strings(audienceId: number): string[] {
    return this.#strings.all(audienceId);
  }

  /** The chunk numbers in which any of some audiences has members, ascending. */
  blockNumbers(audienceIds: readonly number[]): number[] {
    return this.#blockNumbers.all(JSON.stringify(audienceIds));
  }

  /** The integer members of some audiences in one chunk; `slot` is an audience's place among `audienceIds`, `members` as {@link packChunk} makes them. */
  block(audienceIds: readonly number[], number: number): { slot: number; members: Uint8Array }[] {
    return this.#block.all(JSON.stringify(audienceIds), number);
  }

  /** Every string id in some audiences, with the places among `audienceIds` of those it is in. */
  *stringSlots(audienceIds: readonly number[]): Generator<{ id: string; slots: number[] }> {
    for (const { id, slots } of this.#stringSlots.iterate(JSON.stringify(audienceIds))) yield { id, slots: slots.split(",").map(Number) };
  }

  /** Makes `ids` the members of the audience, creating it if need be. Call it in a transaction. */
  replace(ref: AudienceRef, ids: IdSet, encoding: Encoding, what: string): Audience {
    const before = this.find(ref);
    const row = {
      kind: ref.kind, name: storedName(ref), encoding, integers: ids.integers, strings: ids.strings.size, revision: randomUUID(), loaded_at: this.clock(),
    };
    const id = this.#upsert.get(row)?.id;
    if (id === undefined) throw new PopupError("internal", `${audienceLabel(ref)} was not written`);
    this.#deleteChunks.run(id);
    this.#deleteStrings.run(id);
    for (const [number, chunk] of ids.chunks) {
      const packed = packChunk(chunk);
      if (packed.length > 0) this.#putChunk.run(id, number, packed);
    }
    for (const user of ids.strings) this.#putString.run(id, user);
    const after = fromRow({ id, ...row });
    this.audit.record(what, audienceLabel(ref), before ? readable(before) : null, readable(after));
    return after;
  }

  /** Removes the audience if it exists; true when it did. */
  delete(ref: AudienceRef, what: string): boolean {
    const before = this.find(ref);
    if (!before) return false;
    this.#delete.run(before.id);
    this.audit.record(what, audienceLabel(ref), readable(before), null);
    return true;
  }
}

function fromRow(row: Row): Audience {
  const ref: AudienceRef = row.kind === "segment" ? { kind: "segment", name: row.name } : { kind: "users", campaignId: Number(row.name) };
  return { id: row.id, ref, encoding: row.encoding, integers: row.integers, strings: row.strings, revision: row.revision, loadedAt: row.loaded_at };
}

function readable(audience: Audience): unknown {
  return { ids: audience.integers + audience.strings, encoding: audience.encoding, revision: audience.revision };
}
