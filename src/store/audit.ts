/** The audit log: who changed what, when, from what, to what. Written in the transaction of the change. */
import type { Database, Statement } from "better-sqlite3";
import type { Clock } from "../time.js";

export interface AuditEntry {
  /** Epoch ms. */
  readonly at: number;
  readonly who: string;
  /** The command: campaign.create, segment.load, … */
  readonly what: string;
  /** campaign:7, campaign:7:users, segment:payroll, setting:timezone, … */
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
  /** The hash of the plan that was applied or approved, where one was. */
  readonly plan: string | null;
}

/** Which entries are meant; times in epoch ms, from inclusive, to exclusive. */
export interface AuditFilter {
  readonly subjects: readonly string[] | null;
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}

interface Row {
  at: number;
  who: string;
  what: string;
  subject: string;
  before: string | null;
  after: string | null;
  plan: string | null;
}

export class AuditLog {
  readonly #insert: Statement;
  readonly #last: Statement<[], number | null>;
  readonly #all: Statement<[], Row>;
  readonly #newest: Statement<{ subjects: string | null; from: number; to: number; limit: number }, Row>;

  constructor(
    db: Database,
    readonly actor: string,
    private readonly clock: Clock,
  ) {
    this.#insert = db.prepare("INSERT INTO audit (at, who, what, subject, before, after, plan) VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#last = db.prepare<[], number | null>("SELECT max(id) FROM audit").pluck();
    const select = "SELECT at, who, what, subject, before, after, plan FROM audit";
    this.#all = db.prepare(`${select} ORDER BY id`);
    this.#newest = db.prepare(
      `${select} WHERE (@subjects IS NULL OR subject IN (SELECT value FROM json_each(@subjects))) AND at >= @from AND at < @to ORDER BY id DESC LIMIT @limit`,
    );
  }

  /**
   * @param before,after JSON values; null stands for "did not exist"
   * @param plan the hash of the plan that this belongs to
   */
  record(what: string, subject: string, before: unknown, after: unknown, plan: string | null = null): void {
    const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
    this.#insert.run(this.clock(), this.actor, what, subject, json(before), json(after), plan);
  }

  /** The number of the newest entry, 0 when there is none: changes with every change a command makes. Costs microseconds. */
  lastId(): number {
    return this.#last.get() ?? 0;
  }

  /** Every entry, oldest first. */
  all(): AuditEntry[] {
    return this.#all.all().map(fromRow);
  }

  /** Some entries, newest first, one at a time. The store takes no other statement before the last one is taken. */
  *newest({ subjects, ...rest }: AuditFilter): Generator<AuditEntry> {
    for (const row of this.#newest.iterate({ ...rest, subjects: subjects && JSON.stringify(subjects) })) yield fromRow(row);
  }
}

function fromRow(row: Row): AuditEntry {
  const parse = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
  return { ...row, before: parse(row.before), after: parse(row.after) };
}
