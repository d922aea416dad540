/** The audit log: who changed what, when, from what, to what. Written in the transaction of the change. */
import type { Database, Statement } from "better-sqlite3";
import type { Clock } from "../time.js";

export interface AuditEntry { readonly at: number; readonly who: string; readonly what: string; readonly subject: string; readonly before: unknown; readonly after: unknown }

export class AuditLog {
  readonly #insert: Statement;
  readonly #last: Statement<[], number | null>;
  readonly #all: Statement<[], { at: number; who: string; what: string; subject: string; before: string | null; after: string | null }>;

  constructor(db: Database, readonly actor: string, private readonly clock: Clock) {
    this.#insert = db.prepare("INSERT INTO audit (at, who, what, subject, before, after) VALUES (?, ?, ?, ?, ?, ?)");
    this.#last = db.prepare<[], number | null>("SELECT max(id) FROM audit").pluck();
    this.#all = db.prepare("SELECT at, who, what, subject, before, after FROM audit ORDER BY id");
  }

  /** @param before,after JSON values; null stands for "did not exist" */
  record(what: string, subject: string, before: unknown, after: unknown): void {
    const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
    this.#insert.run(this.clock(), this.actor, what, subject, json(before), json(after));
  }

  /** The number of the newest entry, 0 when there is none: changes with every change a command makes. Costs microseconds. */
  lastId(): number {
    return this.#last.get() ?? 0;
  }

  /** Every entry, oldest first. */
  all(): AuditEntry[] {
    const parse = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
    return this.#all.all().map((row) => ({ ...row, before: parse(row.before), after: parse(row.after) }));
  }
}
