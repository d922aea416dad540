/** Events in the store: written by the worker, read by the recovery of counters; reports read their rollups. */
import { type Database, SqliteError, type Statement } from "better-sqlite3";
import type { DeadEvent, EventType, PopupEvent } from "../event.js";
import { compareStreamIds, type StreamMark } from "../stream-id.js";
import type { DeadEventTable } from "./dead-events.js";
import { checkSchema } from "./migrate.js";
import type { RollupTable } from "./rollups.js";

/** An event that the table does not take: its place in the batch, and why. */
export interface Refusal {
  readonly index: number;
  readonly reason: string;
}

interface Row {
  type: EventType;
  campaign_id: number;
  user_id: string;
  impression_id: string;
  at: number;
  over_cap: 0 | 1;
  session_id: string | null;
}

export class EventTable {
  readonly #insert: Statement<[EventType, number, string, string, number, 0 | 1, string | null]>;
  readonly #first: Statement<[], number>;
  readonly #userIds: Statement<[], string>;
  readonly #ofUser: Statement<[string], Row>;
  readonly #mark: Statement<[string], string>;
  readonly #setMark: Statement<[string, string]>;
  readonly #write: (
    events: readonly PopupEvent[],
    dead: readonly DeadEvent[],
    marks: readonly StreamMark[],
    onRefused: ((refusal: Refusal) => void) | undefined,
  ) => number;

  constructor(db: Database, dead: DeadEventTable, rollups: RollupTable) {
    this.#insert = db.prepare(`
      INSERT INTO events (type, campaign_id, user_id, impression_id, at, over_cap, session_id)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (user_id, type, impression_id) DO NOTHING`);
    this.#first = db.prepare<[], number>("SELECT 1 FROM events LIMIT 1").pluck();
    this.#userIds = db.prepare<[], string>("SELECT DISTINCT user_id FROM events").pluck();
    this.#ofUser = db.prepare("SELECT type, campaign_id, user_id, impression_id, at, over_cap, session_id FROM events WHERE user_id = ? ORDER BY at, id");
    this.#mark = db.prepare<[string], string>("SELECT id FROM stream_mark WHERE stream = ?").pluck();
    this.#setMark = db.prepare("INSERT INTO stream_mark (stream, id) VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET id = excluded.id");
    this.#write = db.transaction((events, letters, marks, onRefused) => {
      checkSchema(db);
      let added = 0;
      for (const [index, e] of events.entries()) {
        try {
          added += this.#insert.run(e.type, e.campaignId, e.userId, e.impressionId, e.at, e.overCap ? 1 : 0, e.sessionId).changes;
        } catch (error) {
          // Only the statement is undone by that; the transaction goes on without it.
          if (!onRefused || !isRefusal(error)) throw error;
          onRefused({ index, reason: error.message });
        }
      }
      for (const letter of letters) dead.add(letter);
      for (const mark of marks) this.#raiseMark(mark);
      rollups.rollUp();
      return added;
    }).immediate;
  }

  /**
   * Writes a batch in one transaction; an event that is there already changes nothing.
   * @param marks how far each stream is written with this batch; an earlier place than the one known changes nothing
   * @param onRefused told of each event that the table does not take, and the others are written; without it nothing is
   * @returns how many events were new
   * @throws SqliteError when the store cannot be written; PopupError `conflict` when a newer engine has it by now
   */
  write(events: readonly PopupEvent[], dead: readonly DeadEvent[] = [], marks: readonly StreamMark[] = [], onRefused?: (refusal: Refusal) => void): number {
    return this.#write(events, dead, marks, onRefused);
  }

  /** The highest entry id that was ever written from the stream under this key, or null for none. */
  mark(stream: string): string | null {
    return this.#mark.get(stream) ?? null;
  }

  #raiseMark({ stream, id }: StreamMark): void {
    const known = this.mark(stream);
    if (known === null || compareStreamIds(id, known) > 0) this.#setMark.run(stream, id);
  }

  isEmpty(): boolean {
    return this.#first.get() === undefined;
  }

  /** Every user who has an event. */
  userIds(): string[] {
    return this.#userIds.all();
  }

  /** A user's events, oldest first. */
  ofUser(userId: string): PopupEvent[] {
    return this.#ofUser.all(userId).map((row) => ({
      type: row.type,
      campaignId: row.campaign_id,
      userId: row.user_id,
      impressionId: row.impression_id,
      at: row.at,
      overCap: row.over_cap === 1,
      sessionId: row.session_id,
    }));
  }
}

/** True when it is the event that is at fault, and not the store. */
function isRefusal(error: unknown): error is Error {
  return error instanceof SqliteError && /^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG)/.test(error.code);
}
