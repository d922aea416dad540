/** The API keys of the bank's own systems. Changes are to run in a transaction of the store. */
import type { Database, Statement } from "better-sqlite3";
import { apiKeyHash, checkApiKeyName, MOST_API_KEYS, newApiKey, type PublishedKey } from "../api-key.js";
import { PopupError } from "../errors.js";
import type { Clock } from "../time.js";
import type { AuditLog } from "./audit.js";

/** What may be told of a key. Times in epoch ms. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly created_at: number;
  readonly revoked_at: number | null;
}

const COLUMNS = "id, name, created_at, revoked_at";

export class ApiKeyTable {
  readonly #insert: Statement<[string, string, Buffer, number]>;
  readonly #revoke: Statement<[number, string]>;
  readonly #list: Statement<[], ApiKey>;
  readonly #live: Statement<[], { id: string; sha256: Buffer }>;
  readonly #countLive: Statement<[], number>;
  readonly #find: Statement<[string, string], ApiKey>;

  constructor(
    db: Database,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {
    this.#insert = db.prepare("INSERT INTO api_keys (id, name, sha256, created_at) VALUES (?, ?, ?, ?)");
    this.#revoke = db.prepare("UPDATE api_keys SET revoked_at = ? WHERE id = ?");
    this.#list = db.prepare(`SELECT ${COLUMNS} FROM api_keys ORDER BY created_at, id`);
    this.#live = db.prepare("SELECT id, sha256 FROM api_keys WHERE revoked_at IS NULL ORDER BY id");
    this.#countLive = db.prepare<[], number>("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL").pluck();
    // A name may have been used before: its live key is meant, or its latest.
    this.#find = db.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE id = ? OR name = ? ORDER BY revoked_at IS NOT NULL, created_at DESC LIMIT 1`);
  }

  /** Makes a key. This is the only time that it is told. @throws PopupError `invalid`, `conflict` */
  create(name: string): ApiKey & { readonly key: string } {
    checkApiKeyName(name);
    const live = this.#countLive.get() ?? 0;
    if (this.#find.get(name, name)?.revoked_at === null)
      throw new PopupError("conflict", `there is an API key "${name}" already`, { hint: `choose another name, or revoke it first: popup key revoke ${name}` });
    if (live >= MOST_API_KEYS) throw new PopupError("conflict", `there are ${live} live API keys`, { hint: "revoke some: popup key list shows them" });
    const { id, key } = newApiKey();
    const created = this.clock();
    this.#insert.run(id, name, apiKeyHash(key), created);
    this.audit.record("key.create", `key:${id}`, null, { name });
    return { id, name, created_at: created, revoked_at: null, key };
  }

  /** @param which an id or a name @throws PopupError `not_found`, `conflict` when it is revoked already */
  findLive(which: string): ApiKey {
    const found = this.#find.get(which, which);
    if (!found) throw new PopupError("not_found", "there is no API key of this id or name", { hint: "popup key list shows those there are" });
    if (found.revoked_at !== null)
      throw new PopupError("conflict", `the API key ${found.id} (${found.name}) is revoked already`, { hint: "popup key list shows the live ones" });
    return found;
  }

  /** @param which an id or a name @throws PopupError `not_found`, `conflict` when it is revoked already */
  revoke(which: string): ApiKey {
    const found = this.findLive(which);
    const revoked = this.clock();
    this.#revoke.run(revoked, found.id);
    this.audit.record("key.revoke", `key:${found.id}`, { name: found.name }, null);
    return { ...found, revoked_at: revoked };
  }

  /** Every key that there ever was, oldest first. */
  list(): ApiKey[] {
    return this.#list.all();
  }

  /** The live ones, as they are published. */
  live(): PublishedKey[] {
    return this.#live.all().map(({ id, sha256 }) => ({ id, sha256: sha256.toString("base64url") }));
  }
}
