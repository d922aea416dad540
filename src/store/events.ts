/** Events in the store: written by the worker, read by reports and by the recovery of counters. */
import { SqliteError, type Database, type Statement } from "better-sqlite3";
import type { EventType, PopupEvent } from "../event.js";
import { compareStreamIds, type StreamMark } from "../stream-id.js";
import { formatDay } from "../time.js";
import type { DeadEvent, DeadEventTable } from "./dead-events.js";

export interface Totals {
  /** Counted ones; those over a cap are apart. */
  readonly impressions: number;
  /** Distinct users with a counted impression. */
  readonly users: number;
  readonly clicks: number;
  readonly dismissals: number;
  readonly over_cap: number;
}
export interface CampaignReport extends Totals { readonly campaign_id: number; readonly title: string; readonly days: (Totals & { readonly day: string })[] }

/** An event that the table does not take: its place in the batch, and why. */
export interface Refusal { readonly index: number; readonly reason: string }

interface Row { type: EventType; campaign_id: number; user_id: string; impression_id: string; at: number; over_cap: 0 | 1; session_id: string | null }

const TOTALS = `
  count(*) FILTER (WHERE e.type = 'impression' AND e.over_cap = 0) AS impressions,
  count(DISTINCT CASE WHEN e.type = 'impression' AND e.over_cap = 0 THEN e.user_id END) AS users,
  count(*) FILTER (WHERE e.type = 'click') AS clicks,
  count(*) FILTER (WHERE e.type = 'dismiss') AS dismissals,
  count(*) FILTER (WHERE e.type = 'impression' AND e.over_cap = 1) AS over_cap`;

export class EventTable {
  readonly #insert: Statement<[EventType, number, string, string, number, 0 | 1, string | null]>;
  readonly #userIds: Statement<[], string>;
  readonly #usersOf: Statement<[number], string>;
  readonly #ofUser: Statement<[string], Row>;
  readonly #report: Statement<{ id: number | null; from: number; to: number }, Totals & { campaign_id: number; title: string }>;
  readonly #byDay: Statement<{ id: number; from: number; to: number }, Totals & { day: string }>;
  readonly #mark: Statement<[string], string>;
  readonly #setMark: Statement<[string, string]>;
  readonly #write: (events: readonly PopupEvent[], dead: readonly DeadEvent[], mark: StreamMark | undefined, onRefused: ((refusal: Refusal) => void) | undefined) => number;
  #timezone = "UTC";

  constructor(db: Database, dead: DeadEventTable) {
    // SQLite has no time zones of its own; the day of an event is that of the setting.
    db.function("local_day", { deterministic: false }, (at: unknown) => formatDay(Number(at), this.#timezone));
    this.#insert = db.prepare(`
      INSERT INTO events (type, campaign_id, user_id, impression_id, at, over_cap, session_id)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (user_id, type, impression_id) DO NOTHING`);
    this.#userIds = db.prepare<[], string>("SELECT DISTINCT user_id FROM events").pluck();
    this.#usersOf = db.prepare<[number], string>("SELECT DISTINCT user_id FROM events WHERE campaign_id = ?").pluck();
    this.#ofUser = db.prepare("SELECT type, campaign_id, user_id, impression_id, at, over_cap, session_id FROM events WHERE user_id = ? ORDER BY at, id");
    this.#report = db.prepare(`
      SELECT ids.id AS campaign_id, coalesce(c.title, '(deleted)') AS title, ${TOTALS}
      FROM (SELECT id FROM campaigns UNION SELECT campaign_id FROM events) AS ids
      LEFT JOIN campaigns c ON c.id = ids.id
      LEFT JOIN events e ON e.campaign_id = ids.id AND e.at >= @from AND e.at < @to
      WHERE @id IS NULL OR ids.id = @id
      GROUP BY ids.id ORDER BY ids.id`);
    this.#byDay = db.prepare(`
      SELECT local_day(e.at) AS day, ${TOTALS} FROM events e
      WHERE e.campaign_id = @id AND e.at >= @from AND e.at < @to GROUP BY day ORDER BY day`);
    this.#mark = db.prepare<[string], string>("SELECT id FROM stream_mark WHERE stream = ?").pluck();
    this.#setMark = db.prepare("INSERT INTO stream_mark (stream, id) VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET id = excluded.id");
    this.#write = db.transaction((events, letters, mark, onRefused) => {
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
      if (mark) this.#raiseMark(mark);
      return added;
    }).immediate;
  }

  /**
   * Writes a batch in one transaction; an event that is there already changes nothing.
   * @param mark how far the stream is written with this batch; an earlier place than the one known changes nothing
   * @param onRefused told of each event that the table does not take, and the others are written; without it nothing is
   * @returns how many events were new
   * @throws SqliteError when the store cannot be written
   */
  write(events: readonly PopupEvent[], dead: readonly DeadEvent[] = [], mark?: StreamMark, onRefused?: (refusal: Refusal) => void): number {
    return this.#write(events, dead, mark, onRefused);
  }

  /** The highest entry id that was ever written from the stream under this key, or null for none. */
  mark(stream: string): string | null {
    return this.#mark.get(stream) ?? null;
  }

  #raiseMark({ stream, id }: StreamMark): void {
    const known = this.mark(stream);
    if (known === null || compareStreamIds(id, known) > 0) this.#setMark.run(stream, id);
  }

  /** Every user who has an event. */
  userIds(): string[] {
    return this.#userIds.all();
  }

  /** Every user who has an event of the campaign. */
  usersOf(campaignId: number): string[] {
    return this.#usersOf.all(campaignId);
  }

  /** A user's events, oldest first. */
  ofUser(userId: string): PopupEvent[] {
    return this.#ofUser.all(userId).map((row) => ({
      type: row.type, campaignId: row.campaign_id, userId: row.user_id, impressionId: row.impression_id, at: row.at, overCap: row.over_cap === 1, sessionId: row.session_id,
    }));
  }

  /**
   * Totals per campaign and day.
   * @param id one campaign, or null for all
   * @param from,to epoch ms, from inclusive, to exclusive
   * @param timezone the zone whose calendar days are meant
   */
  report(id: number | null, from: number, to: number, timezone: string): CampaignReport[] {
    this.#timezone = timezone;
    return this.#report.all({ id, from, to }).map((totals) => ({ ...totals, days: this.#byDay.all({ id: totals.campaign_id, from, to }) }));
  }
}

/** True when it is the event that is at fault, and not the store. */
function isRefusal(error: unknown): error is Error {
  return error instanceof SqliteError && /^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG)/.test(error.code);
}
