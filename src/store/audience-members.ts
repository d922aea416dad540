/** The members of audiences, version by version: a row holds from its `since` on, up to its `until`. */
import type { Database, Statement } from "better-sqlite3";
import { CHUNK_BITS, Chunk, combine, eachMember } from "../chunk.js";
import { integerId } from "../user-id.js";
import { merge, Pages } from "./merge.js";
import type { StagedIds } from "./staged-ids.js";

export const LOAD_MODES = ["replace", "add", "remove"] as const;
export type LoadMode = (typeof LOAD_MODES)[number];

export interface Changed {
  readonly added: number;
  readonly removed: number;
}
export interface ChangedKinds {
  readonly integers: Changed;
  readonly strings: Changed;
}
/** How two versions differ; of either side the first few ids. */
export interface VersionDiff extends Changed {
  readonly added_ids: readonly string[];
  readonly removed_ids: readonly string[];
}

type Pair = Record<"audience" | "version", number>;
interface ChunkRow {
  readonly number: number;
  readonly members: Buffer;
}

const NONE = new Uint8Array(0);
const STRINGS_TOGETHER = 10_000;
/** Whether a row of `alias` held in the version that is bound to the name. */
const held = (alias: string, version: string): string => `(${alias}.since <= @${version} AND (${alias}.until IS NULL OR ${alias}.until > @${version}))`;

export class AudienceMembers {
  readonly #numbers: Statement<[number], number>;
  readonly #chunk: Statement<[number, number], Buffer>;
  readonly #chunks: Statement<[number], ChunkRow>;
  readonly #closeChunk: Statement<[number, number, number]>;
  readonly #putChunk: Statement<[number, number, number, Uint8Array]>;
  readonly #last: Statement<[number], ChunkRow>;
  readonly #strings: Statement<[number, string], string>;
  readonly #addStrings: Statement<Pair & { list: number }>;
  readonly #removeStrings: Statement<Pair & { list: number }>;
  readonly #removeOthers: Statement<Pair & { list: number }>;
  readonly #stringSince: Statement<[number, string], number>;
  readonly #chunkHistory: Statement<[number, number], { since: number; until: number | null; members: Buffer }>;
  readonly #blockNumbers: Statement<[string], number>;
  readonly #block: Statement<[string, number], { slot: number; members: Buffer }>;
  readonly #rollBack: readonly Statement<Pair & { to: number }>[];
  readonly #prune: readonly Statement<[number, number]>[];
  readonly #differing: Statement<{ audience: number; a: number; b: number }, number>;
  readonly #chunkIn: Statement<{ audience: number; number: number; version: number }, Buffer>;
  readonly #stringsOnlyIn: Statement<{ audience: number; a: number; b: number; most: number }, string>;
  readonly #countOnlyIn: Statement<{ audience: number; a: number; b: number }, number>;

  constructor(db: Database) {
    this.#numbers = db.prepare<[number], number>("SELECT number FROM audience_chunks WHERE audience_id = ? AND until IS NULL ORDER BY number").pluck();
    this.#chunk = db.prepare<[number, number], Buffer>("SELECT members FROM audience_chunks WHERE audience_id = ? AND number = ? AND until IS NULL").pluck();
    this.#chunks = db.prepare("SELECT number, members FROM audience_chunks WHERE audience_id = ? AND until IS NULL ORDER BY number");
    this.#last = db.prepare("SELECT number, members FROM audience_chunks WHERE audience_id = ? AND until IS NULL ORDER BY number DESC LIMIT 1");
    this.#closeChunk = db.prepare("UPDATE audience_chunks SET until = ? WHERE audience_id = ? AND number = ? AND until IS NULL");
    this.#putChunk = db.prepare("INSERT INTO audience_chunks (audience_id, number, since, members) VALUES (?, ?, ?, ?)");
    this.#strings = db
      .prepare<[number, string], string>(
        `SELECT user_id FROM audience_strings WHERE audience_id = ? AND user_id > ? AND until IS NULL ORDER BY user_id LIMIT ${STRINGS_TOGETHER}`,
      )
      .pluck();
    this.#addStrings = db.prepare(`
      INSERT INTO audience_strings (audience_id, user_id, since)
      SELECT @audience, n.user_id, @version FROM (SELECT DISTINCT user_id FROM temp.staged_strings WHERE list = @list ORDER BY user_id) n
      WHERE NOT EXISTS (SELECT 1 FROM audience_strings s WHERE s.audience_id = @audience AND s.user_id = n.user_id AND s.until IS NULL)`);
    const remove = "UPDATE audience_strings SET until = @version WHERE audience_id = @audience AND until IS NULL";
    this.#removeStrings = db.prepare(`${remove} AND user_id IN (SELECT user_id FROM temp.staged_strings WHERE list = @list)`);
    this.#removeOthers = db.prepare(
      `${remove} AND NOT EXISTS (SELECT 1 FROM temp.staged_strings n WHERE n.list = @list AND n.user_id = audience_strings.user_id)`,
    );
    this.#stringSince = db
      .prepare<[number, string], number>("SELECT since FROM audience_strings WHERE audience_id = ? AND user_id = ? AND until IS NULL")
      .pluck();
    this.#chunkHistory = db.prepare("SELECT since, until, members FROM audience_chunks WHERE audience_id = ? AND number = ? ORDER BY since DESC");
    // json_each gives the audiences in their order: its key is an audience's slot.
    this.#blockNumbers = db
      .prepare<[string], number>(
        "SELECT DISTINCT c.number FROM json_each(?) s JOIN audience_chunks c ON c.audience_id = s.value AND c.until IS NULL ORDER BY c.number",
      )
      .pluck();
    this.#block = db.prepare(
      "SELECT s.key AS slot, c.members FROM json_each(?) s JOIN audience_chunks c ON c.audience_id = s.value AND c.until IS NULL WHERE c.number = ?",
    );
    // What held then and holds now, by another row, stays as it is: so it is told since when a user is in.
    this.#rollBack = [
      ["audience_chunks", "number", "number, members", "AND o.members = n.members"],
      ["audience_strings", "user_id", "user_id", ""],
    ].flatMap(([name = "", key = "", columns = "", same = ""]) => [
      db.prepare<Pair & { to: number }>(`UPDATE ${name} AS n SET until = @version WHERE audience_id = @audience AND until IS NULL AND since > @to
        AND NOT EXISTS (SELECT 1 FROM ${name} o WHERE o.audience_id = @audience AND o.${key} = n.${key} AND ${held("o", "to")} ${same})`),
      db.prepare<
        Pair & { to: number }
      >(`INSERT INTO ${name} (audience_id, since, ${columns}) SELECT audience_id, @version, ${columns} FROM ${name} o WHERE o.audience_id = @audience AND o.until IS NOT NULL AND ${held("o", "to")}
        AND NOT EXISTS (SELECT 1 FROM ${name} n WHERE n.audience_id = @audience AND n.${key} = o.${key} AND n.until IS NULL)`),
    ]);
    this.#prune = ["audience_chunks", "audience_strings"].map((name) =>
      db.prepare<[number, number]>(`DELETE FROM ${name} WHERE audience_id = ? AND until < ?`),
    );
    this.#differing = db
      .prepare<{ audience: number; a: number; b: number }, number>(
        `SELECT DISTINCT number FROM audience_chunks c WHERE audience_id = @audience AND ${held("c", "a")} <> ${held("c", "b")} ORDER BY number`,
      )
      .pluck();
    this.#chunkIn = db
      .prepare<{ audience: number; number: number; version: number }, Buffer>(
        `SELECT members FROM audience_chunks c WHERE audience_id = @audience AND number = @number AND ${held("c", "version")}`,
      )
      .pluck();
    const onlyIn = `FROM audience_strings s WHERE audience_id = @audience AND ${held("s", "a")} AND NOT EXISTS
      (SELECT 1 FROM audience_strings o WHERE o.audience_id = @audience AND o.user_id = s.user_id AND ${held("o", "b")})`;
    this.#stringsOnlyIn = db
      .prepare<{ audience: number; a: number; b: number; most: number }, string>(`SELECT user_id ${onlyIn} ORDER BY user_id LIMIT @most`)
      .pluck();
    this.#countOnlyIn = db.prepare<{ audience: number; a: number; b: number }, number>(`SELECT count(*) ${onlyIn}`).pluck();
  }

  /** The present integer members, chunk by chunk, ascending, packed (src/chunk.ts). */
  *chunks(audienceId: number): Generator<ChunkRow> {
    yield* this.#chunks.all(audienceId);
  }

  /** The present string members, in order. They are read some at a time: the store can be used in between. */
  *strings(audienceId: number): Generator<string> {
    for (const { id } of this.stringSlots([audienceId])) yield id;
  }

  /** The largest integer member, or -1. */
  maxInteger(audienceId: number): number {
    const row = this.#last.get(audienceId);
    let max = -1;
    if (row) eachMember(row.members, (member) => (max = row.number * CHUNK_BITS + member));
    return max;
  }

  /** The chunk numbers in which any of some audiences has members, ascending. */
  blockNumbers(audienceIds: readonly number[]): number[] {
    return this.#blockNumbers.all(JSON.stringify(audienceIds));
  }

  /** The integer members of some audiences in one chunk; `slot` is an audience's place among `audienceIds`, `members` are packed. */
  block(audienceIds: readonly number[], number: number): { slot: number; members: Uint8Array }[] {
    return this.#block.all(JSON.stringify(audienceIds), number);
  }

  /** Every string id in some audiences, in order, with the places among `audienceIds` of those it is in. They are read some at a time. */
  *stringSlots(audienceIds: readonly number[]): Generator<{ id: string; slots: number[] }> {
    yield* merge(audienceIds.map((id) => new Pages((after) => this.#strings.all(id, after), STRINGS_TOGETHER)));
  }

  /** The version since which a user has been in an audience, as far as the versions that are kept can tell; undefined for one who is not. */
  memberSince(audience: number, userId: string): number | undefined {
    const integer = integerId(userId);
    if (integer === undefined) return this.#stringSince.get(audience, userId);
    let since: number | undefined;
    for (const row of this.#chunkHistory.all(audience, Math.floor(integer / CHUNK_BITS))) {
      // From the present one back, while one row follows on another and the user is in it.
      if (row.until !== (since ?? null) || !Chunk.of(row.members).has(integer % CHUNK_BITS)) break;
      since = row.since;
    }
    return since;
  }

  /** Makes a version of what is there and the sealed list. Only what differs is written. */
  apply(audience: number, version: number, mode: LoadMode, staged: StagedIds): ChangedKinds {
    const integers = { added: 0, removed: 0 };
    const there = new Set(this.#numbers.all(audience));
    const change = (number: number, given: Uint8Array): void => {
      const before = there.delete(number) ? (this.#chunk.get(audience, number) ?? NONE) : NONE;
      const { members, added, removed } = combine(before, given, mode);
      if (added + removed === 0) return;
      integers.added += added;
      integers.removed += removed;
      if (before.length > 0) this.#closeChunk.run(version, audience, number);
      if (members.length > 0) this.#putChunk.run(audience, number, version, members);
    };
    for (const { number, members } of staged.integers.packed()) change(number, members);
    if (mode === "replace") for (const number of [...there]) change(number, NONE);
    const pair = { audience, version, list: staged.list };
    const removed = mode === "add" ? 0 : (mode === "remove" ? this.#removeStrings : this.#removeOthers).run(pair).changes;
    const added = mode === "remove" || staged.strings === 0 ? 0 : this.#addStrings.run(pair).changes;
    return { integers, strings: { added, removed } };
  }

  /** Makes a version that holds what an earlier one held. */
  rollBack(audience: number, version: number, to: number): void {
    for (const statement of this.#rollBack) statement.run({ audience, version, to });
  }

  /** Forgets what neither a version from `oldest` on holds nor the one before it: that one tells who was in it already. */
  prune(audience: number, oldest: number): void {
    for (const statement of this.#prune) statement.run(audience, oldest);
  }

  /** What came and went from one version to another. @param most ids of either side */
  diff(audience: number, from: number, to: number, most: number): VersionDiff & ChangedKinds {
    const integers = { added: 0, removed: 0 };
    const [addedIds, removedIds]: [string[], string[]] = [[], []];
    for (const number of this.#differing.all({ audience, a: from, b: to })) {
      const [a, b] = [from, to].map((version) => this.#chunkIn.get({ audience, number, version }) ?? NONE) as [Uint8Array, Uint8Array];
      const { added, removed } = combine(a, b, "replace");
      integers.added += added;
      integers.removed += removed;
      if (added > 0) collect(addedIds, number, b, a, most);
      if (removed > 0) collect(removedIds, number, a, b, most);
    }
    const strings = { added: this.#countOnlyIn.get({ audience, a: to, b: from }) ?? 0, removed: this.#countOnlyIn.get({ audience, a: from, b: to }) ?? 0 };
    const only = (a: number, b: number, room: number): string[] => this.#stringsOnlyIn.all({ audience, a, b, most: room });
    return {
      integers,
      strings,
      added: integers.added + strings.added,
      removed: integers.removed + strings.removed,
      added_ids: [...addedIds, ...only(to, from, most - addedIds.length)],
      removed_ids: [...removedIds, ...only(from, to, most - removedIds.length)],
    };
  }
}

/** Adds the first members of `within` that `without` lacks. */
function collect(found: string[], number: number, within: Uint8Array, without: Uint8Array, most: number): void {
  if (found.length >= most) return;
  const other = Chunk.of(without);
  eachMember(within, (member) => {
    if (found.length < most && !other.has(member)) found.push(String(number * CHUNK_BITS + member));
  });
}
