/**
 * Ids on their way into audiences, before it is known whether they will be taken: integer ids in memory, string ids in a temporary
 * table, which SQLite keeps in a file of its own and which is gone with the connection.
 */
import type { Database, Statement } from "better-sqlite3";
import { IdSet } from "../id-set.js";
import { integerId } from "../user-id.js";

/** String ids that wait to be written together. */
const BATCH = 5_000;

/** The ids of one audience-to-be. */
export interface StagedIds {
  /** Names its string ids in the temporary table. */
  readonly list: number;
  readonly integers: IdSet;
  /** How many string ids were added, those that came several times counted each time. */
  readonly strings: number;
  addInteger(id: number): void;
  /** A valid id, of either kind. */
  add(id: string): void;
}

export class Staging {
  readonly #db: Database;
  readonly #insert: Statement<[number, string]>;
  readonly #flush: (batch: readonly (readonly [list: number, id: string])[]) => void;
  #waiting: (readonly [number, string])[] = [];
  #lists = 0;

  constructor(db: Database) {
    this.#db = db;
    db.exec("CREATE TEMP TABLE IF NOT EXISTS staged_strings (list INTEGER NOT NULL, user_id TEXT NOT NULL) STRICT");
    this.#insert = db.prepare("INSERT INTO temp.staged_strings (list, user_id) VALUES (?, ?)");
    this.#flush = db.transaction((batch: readonly (readonly [number, string])[]) => {
      for (const [list, id] of batch) this.#insert.run(list, id);
    });
  }

  /** A new list; it is empty. */
  list(): StagedIds {
    const list = this.#lists++;
    const integers = new IdSet();
    const addString = (id: string): void => {
      this.#waiting.push([list, id]);
      if (this.#waiting.length >= BATCH) this.#write();
    };
    const staged = {
      list,
      integers,
      strings: 0,
      addInteger: (id: number): void => void integers.addInteger(id),
      add: (id: string): void => {
        const integer = integerId(id);
        if (integer !== undefined) return void integers.addInteger(integer);
        staged.strings++;
        addString(id);
      },
    };
    return staged;
  }

  /** Writes what waits and orders it: from here on the lists can be read, and take no more. Call it outside a transaction. */
  seal(): void {
    this.#write();
    this.#db.exec("CREATE INDEX IF NOT EXISTS temp.staged_order ON staged_strings (list, user_id)");
  }

  /** Forgets every list. */
  clear(): void {
    this.#waiting = [];
    this.#db.exec("DROP INDEX IF EXISTS temp.staged_order; DELETE FROM temp.staged_strings");
  }

  #write(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length > 0) this.#flush(batch);
  }
}
