/** What came by the stream and could not be kept as an event: set aside with the reason, so that it holds up nothing. */
import type { Database, Statement } from "better-sqlite3";
import type { DeadEvent } from "../event.js";

interface Row {
  stream_id: string;
  reason: string;
  fields: string;
}

export class DeadEventTable {
  readonly #add: Statement<[string, string, string]>;
  readonly #all: Statement<[], Row>;
  readonly #find: Statement<[string], Row>;
  readonly #remove: Statement<[string]>;
  readonly #count: Statement<[], number>;

  constructor(db: Database) {
    // Seen again after a crash it is the same one; after a retry that failed the reason may be another.
    this.#add = db.prepare(
      "INSERT INTO dead_events (stream_id, reason, fields) VALUES (?, ?, ?) ON CONFLICT (stream_id) DO UPDATE SET reason = excluded.reason",
    );
    this.#all = db.prepare("SELECT stream_id, reason, fields FROM dead_events ORDER BY rowid");
    this.#find = db.prepare("SELECT stream_id, reason, fields FROM dead_events WHERE stream_id = ?");
    this.#remove = db.prepare("DELETE FROM dead_events WHERE stream_id = ?");
    this.#count = db.prepare<[], number>("SELECT count(*) FROM dead_events").pluck();
  }

  add({ streamId, reason, fields }: DeadEvent): void {
    this.#add.run(streamId, reason, JSON.stringify(fields));
  }

  /** All of them, the first set aside first. */
  list(): DeadEvent[] {
    return this.#all.all().map(fromRow);
  }

  find(streamId: string): DeadEvent | null {
    const row = this.#find.get(streamId);
    return row ? fromRow(row) : null;
  }

  remove(streamId: string): void {
    this.#remove.run(streamId);
  }

  count(): number {
    return this.#count.get() ?? 0;
  }
}

const fromRow = (row: Row): DeadEvent => ({ streamId: row.stream_id, reason: row.reason, fields: JSON.parse(row.fields) as string[] });
