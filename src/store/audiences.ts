/** Audiences: a campaign's user list, or a named segment, and the versions that loads made of it. */
import { randomUUID } from "node:crypto";
import type { Database, Statement } from "better-sqlite3";
import { type AudienceRef, audienceLabel } from "../audience.js";
import { chooseEncoding, type Encoding, type RequestedEncoding } from "../encoding.js";
import { invalid, PopupError } from "../errors.js";
import { IdSet } from "../id-set.js";
import { didYouMean } from "../suggest.js";
import type { Clock } from "../time.js";
import { AudienceMembers, type LoadMode, type VersionDiff } from "./audience-members.js";
import type { AuditLog } from "./audit.js";
import type { SettingTable } from "./settings.js";
import { type StagedIds, Staging } from "./staged-ids.js";

export interface Audience {
  readonly id: number;
  readonly ref: AudienceRef;
  readonly version: number;
  readonly encoding: Encoding;
  readonly integers: number;
  readonly strings: number;
  /** The largest integer id, -1 for none. */
  readonly maxInteger: number;
  /** Changes with every version, and is never given twice. */
  readonly revision: string;
  /** Epoch ms. */
  readonly loadedAt: number;
}

/** Where a version came from. */
export interface VersionSource {
  /** The command. */
  readonly what: string;
  readonly mode: LoadMode | "rollback";
  /** The file's name, or null. */
  readonly file: string | null;
  /** SHA-256 of the file's bytes, in hexadecimal. */
  readonly sha256: string | null;
  readonly rows: number;
  readonly rejected: number;
}

export interface AudienceVersion extends VersionSource {
  readonly version: number;
  /** Epoch ms. */
  readonly at: number;
  readonly who: string;
  readonly added: number;
  readonly removed: number;
  readonly integers: number;
  readonly strings: number;
  readonly encoding: Encoding;
}

interface Row {
  id: number;
  kind: "users" | "segment";
  name: string;
  version: number;
  revision: string;
  encoding: Encoding;
  integers: number;
  strings: number;
  max_integer: number;
  at: number;
}
type VersionRow = AudienceVersion & { max_integer: number };
type Content = Pick<VersionRow, "added" | "removed" | "integers" | "strings" | "max_integer" | "encoding">;

const PROGRAM: VersionSource = { what: "", mode: "replace", file: null, sha256: null, rows: 0, rejected: 0 };
const storedName = (ref: AudienceRef): string => (ref.kind === "segment" ? ref.name : String(ref.campaignId));

export class AudienceTable {
  readonly members: AudienceMembers;
  readonly #staging: Staging;
  readonly #find: Statement<[string, string], Row>;
  readonly #list: Statement<[], Row>;
  readonly #upsert: Statement<Record<"kind" | "name" | "revision", string>, { id: number; version: number }>;
  readonly #delete: Statement<[number]>;
  readonly #addVersion: Statement<VersionRow & { audience_id: number }>;
  readonly #versions: Statement<[number], VersionRow>;
  readonly #forget: Statement<[number, number]>;

  constructor(
    db: Database,
    private readonly settings: SettingTable,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {
    // First: statements of the members name its table.
    this.#staging = new Staging(db);
    this.members = new AudienceMembers(db);
    const select =
      "SELECT a.id, a.kind, a.name, a.version, a.revision, v.encoding, v.integers, v.strings, v.max_integer, v.at FROM audiences a JOIN audience_versions v ON v.audience_id = a.id AND v.version = a.version";
    this.#find = db.prepare(`${select} WHERE kind = ? AND name = ?`);
    this.#list = db.prepare(`${select} ORDER BY kind, name`);
    this.#upsert = db.prepare(`
      INSERT INTO audiences (kind, name, version, revision) VALUES (@kind, @name, 1, @revision)
      ON CONFLICT (kind, name) DO UPDATE SET version = version + 1, revision = excluded.revision RETURNING id, version`);
    this.#delete = db.prepare("DELETE FROM audiences WHERE id = ?");
    this.#addVersion = db.prepare(`
      INSERT INTO audience_versions (audience_id, version, at, who, what, mode, file, sha256, rows, added, removed, rejected, integers, strings, max_integer, encoding)
      VALUES (@audience_id, @version, @at, @who, @what, @mode, @file, @sha256, @rows, @added, @removed, @rejected, @integers, @strings, @max_integer, @encoding)`);
    this.#versions = db.prepare("SELECT * FROM audience_versions WHERE audience_id = ? ORDER BY version");
    this.#forget = db.prepare("DELETE FROM audience_versions WHERE audience_id = ? AND version < ?");
  }

  list(): Audience[] {
    return this.#list.all().map(fromRow);
  }

  find(ref: AudienceRef): Audience | undefined {
    const row = this.#find.get(ref.kind, storedName(ref));
    return row && fromRow(row);
  }

  /** Every member, in memory; empty when there is no such audience. For audiences that are known to be small. */
  idsOf(ref: AudienceRef): IdSet {
    const ids = new IdSet();
    const audience = this.find(ref);
    if (!audience) return ids;
    for (const { number, members } of this.members.chunks(audience.id)) ids.putPacked(number, members);
    for (const id of this.members.strings(audience.id)) ids.strings.add(id);
    return ids;
  }

  /**
   * Collects ids outside a transaction, then hands the sealed lists to `work`, which runs in one; they are forgotten after it.
   * One at a time per store.
   */
  async stage<Collected, Result>(collect: (list: () => StagedIds) => Promise<Collected>, work: (collected: Collected) => Result): Promise<Result> {
    try {
      const collected = await collect(() => this.#staging.list());
      this.#staging.seal();
      return work(collected);
    } finally {
      this.#staging.clear();
    }
  }

  /** Makes a version of the audience, creating that if need be. Call it in a transaction. */
  load(ref: AudienceRef, staged: StagedIds, requested: RequestedEncoding, source: VersionSource & { readonly mode: LoadMode }): AudienceVersion {
    return this.#newVersion(ref, source, (audienceId, version, before) => {
      const { integers, strings } = this.members.apply(audienceId, version, source.mode, staged);
      const after = {
        integers: (before?.integers ?? 0) + integers.added - integers.removed,
        strings: (before?.strings ?? 0) + strings.added - strings.removed,
        maxInteger: this.members.maxInteger(audienceId),
      };
      return {
        integers: after.integers,
        strings: after.strings,
        max_integer: after.maxInteger,
        encoding: chooseEncoding(requested, after),
        added: integers.added + strings.added,
        removed: integers.removed + strings.removed,
      };
    });
  }

  /** Makes `ids` the members of the audience: the way of programs, which have no file. Call it in a transaction. */
  replace(ref: AudienceRef, ids: IdSet, encoding: RequestedEncoding, what: string): Audience {
    try {
      const staged = this.#staging.list();
      for (const { number, members } of ids.packed()) staged.integers.putPacked(number, members);
      for (const id of ids.strings) staged.add(id);
      this.#staging.seal();
      this.load(ref, staged, encoding, { ...PROGRAM, what, mode: "replace", rows: ids.size });
    } finally {
      this.#staging.clear();
    }
    return this.get(ref);
  }

  /** The versions that are kept, oldest first. @throws PopupError `not_found` */
  history(ref: AudienceRef): AudienceVersion[] {
    return this.#versions.all(this.get(ref).id).map(versionOf);
  }

  /** What came and went between two versions. @throws PopupError `not_found` for an audience, or a version that is not kept */
  diff(ref: AudienceRef, from: number, to: number, samples: number): VersionDiff {
    const { id } = this.get(ref);
    for (const version of [from, to]) this.#kept(ref, version);
    const { integers: _integers, strings: _strings, ...diff } = this.members.diff(id, from, to, samples);
    return diff;
  }

  /** Makes a version of what an earlier one held. Call it in a transaction. @throws PopupError `not_found`, `invalid` for the present one */
  rollBack(ref: AudienceRef, to: number, what: string): AudienceVersion {
    const target = this.#kept(ref, to);
    const { version: present } = this.get(ref);
    if (to === present) throw invalid("version", `${to} is the present version of ${audienceLabel(ref)}`, "choose an earlier one");
    return this.#newVersion(
      ref,
      { ...PROGRAM, what, mode: "rollback", file: target.file, sha256: target.sha256, rows: target.integers + target.strings },
      (audienceId, version) => {
        const { added, removed } = this.members.diff(audienceId, present, to, 0);
        this.members.rollBack(audienceId, version, to);
        const { integers, strings, max_integer, encoding } = target;
        return { integers, strings, max_integer, encoding, added, removed };
      },
    );
  }

  /** Removes the audience with its versions if it exists; true when it did. */
  delete(ref: AudienceRef, what: string): boolean {
    const before = this.find(ref);
    if (!before) return false;
    this.#delete.run(before.id);
    this.audit.record(what, audienceLabel(ref), readable(before), null);
    return true;
  }

  #newVersion(ref: AudienceRef, source: VersionSource, make: (audienceId: number, version: number, before: Audience | undefined) => Content): AudienceVersion {
    const before = this.find(ref);
    const made = this.#upsert.get({ kind: ref.kind, name: storedName(ref), revision: randomUUID() });
    if (!made) throw new PopupError("internal", `${audienceLabel(ref)} was not written`);
    const row = { ...source, version: made.version, at: this.clock(), who: this.audit.actor, ...make(made.id, made.version, before) };
    this.#addVersion.run({ audience_id: made.id, ...row });
    const oldest = made.version - Number(this.settings.get("audience_versions")) + 1;
    this.members.prune(made.id, oldest);
    this.#forget.run(made.id, oldest);
    this.audit.record(source.what, audienceLabel(ref), before ? readable(before) : null, readable(this.get(ref)));
    return versionOf(row);
  }

  /** @throws PopupError `not_found` */
  get(ref: AudienceRef): Audience {
    const found = this.find(ref);
    if (found) return found;
    if (ref.kind === "users") throw new PopupError("not_found", `campaign ${ref.campaignId} has no user list`, { hint: "load one with popup users load" });
    throw new PopupError("not_found", `there is no segment "${ref.name}"`, {
      hint: `${didYouMean(ref.name, this.segmentNames())}popup segment list shows those there are`,
    });
  }

  segmentNames(): string[] {
    return this.list().flatMap(({ ref }) => (ref.kind === "segment" ? [ref.name] : []));
  }

  #kept(ref: AudienceRef, version: number): VersionRow {
    const { id } = this.get(ref);
    const kept = this.#versions.all(id);
    const found = kept.find((one) => one.version === version);
    if (!found)
      throw new PopupError("not_found", `version ${version} of ${audienceLabel(ref)} is not kept`, {
        hint: `kept: ${kept.map((one) => one.version).join(", ")}`,
      });
    return found;
  }
}

function fromRow({ id, kind, name, at, max_integer: maxInteger, ...rest }: Row): Audience {
  const ref: AudienceRef = kind === "segment" ? { kind, name } : { kind, campaignId: Number(name) };
  return { id, ref, ...rest, maxInteger, loadedAt: at };
}

function versionOf({
  version,
  at,
  who,
  what,
  mode,
  file,
  sha256,
  rows,
  added,
  removed,
  rejected,
  integers,
  strings,
  encoding,
}: AudienceVersion): AudienceVersion {
  return { version, at, who, what, mode, file, sha256, rows, added, removed, rejected, integers, strings, encoding };
}

function readable({ version, integers, strings, encoding, revision }: Audience): unknown {
  return { version, ids: integers + strings, encoding, revision };
}
