/** Rollups: what reports read of the events. They are written with the events, in the same transaction, and so never differ from them. */
import type { Database, Statement } from "better-sqlite3";
import type { EventType } from "../event.js";
import { ColumnsBuilder, columnsFromBytes, columnsToBytes, type EventColumns, NAMED } from "../event-columns.js";

/** Events that may wait: rolled up together they cost a microsecond each, and a report reads as many by themselves in less than a tenth of a second. */
const WAITING = 50_000;
/** Events rolled up in one transaction, where a store of before has millions. */
const MOST = 100_000;

/** The events of some campaigns, as of one moment. */
export interface RollupView {
  /** Campaigns with an event, by id. */
  readonly campaignIds: readonly number[];
  /** The events of a campaign from a time on and before another, epoch ms, in pieces; a piece may hold some beyond them. */
  pieces(campaignId: number, from: number, to: number): EventColumns[];
}

type Row = [campaignId: number, type: EventType, userId: string, at: number, overCap: 0 | 1];

interface Waiting {
  /** By campaign. */
  readonly events: Map<number, ColumnsBuilder>;
  /** Of string ids that have no number yet, the one that they get. */
  readonly newNumbers: Map<string, number>;
}

export class RollupTable {
  readonly #last: Statement<[], number | null>;
  readonly #upTo: Statement<[], number | null>;
  readonly #end: Statement<[number, number], number | null>;
  readonly #between: Statement<[number, number], Row>;
  readonly #insert: Statement<[number, number, number, number, Buffer]>;
  readonly #campaigns: Statement<[], number>;
  readonly #pieces: Statement<[number, number, number], Buffer>;
  readonly #find: Statement<[string], number>;
  readonly #name: Statement<[number], string>;
  readonly #add: Statement<[number, string]>;
  readonly #numbers: Statement<[], number | null>;
  readonly #snapshot: (work: () => string[]) => string[];

  constructor(db: Database) {
    this.#snapshot = db.transaction((work: () => string[]) => work()).deferred;
    this.#last = db.prepare<[], number | null>("SELECT max(id) FROM events").pluck();
    this.#upTo = db.prepare<[], number | null>("SELECT max(up_to) FROM rollups").pluck();
    this.#end = db.prepare<[number, number], number | null>("SELECT max(id) FROM (SELECT id FROM events WHERE id > ? ORDER BY id LIMIT ?)").pluck();
    this.#between = db.prepare<[number, number], Row>("SELECT campaign_id, type, user_id, at, over_cap FROM events WHERE id > ? AND id <= ? ORDER BY id").raw();
    this.#insert = db.prepare("INSERT INTO rollups (up_to, campaign_id, from_at, to_at, events) VALUES (?, ?, ?, ?, ?)");
    this.#campaigns = db.prepare<[], number>("SELECT DISTINCT campaign_id FROM rollups").pluck();
    this.#pieces = db.prepare<[number, number, number], Buffer>("SELECT events FROM rollups WHERE campaign_id = ? AND from_at < ? AND to_at >= ?").pluck();
    this.#find = db.prepare<[string], number>("SELECT number FROM user_numbers WHERE user_id = ?").pluck();
    this.#name = db.prepare<[number], string>("SELECT user_id FROM user_numbers WHERE number = ?").pluck();
    this.#add = db.prepare("INSERT INTO user_numbers (number, user_id) VALUES (?, ?)");
    this.#numbers = db.prepare<[], number | null>("SELECT max(number) FROM user_numbers").pluck();
  }

  /** Rolls up what waits, when that is enough to be worth it. Called in the transaction that writes events. */
  rollUp(): void {
    const [mark, last] = [this.#mark(), this.#last.get() ?? 0];
    if (last - mark < WAITING) return;
    const upTo = this.#end.get(mark, MOST) ?? mark;
    const { events, newNumbers } = this.#read(mark, upTo);
    // In the order of their index, whose pages are then written one after the other.
    for (const userId of [...newNumbers.keys()].sort()) this.#add.run(newNumbers.get(userId) ?? 0, userId);
    for (const [campaignId, ofCampaign] of events)
      this.#insert.run(upTo, campaignId, ofCampaign.earliest, ofCampaign.latest, columnsToBytes(ofCampaign.columns()));
  }

  /** All events, rolled up or not. Called in a snapshot, and used in it. */
  view(): RollupView {
    const { events: waiting } = this.#waiting();
    return {
      campaignIds: [...new Set([...this.#campaigns.all(), ...waiting.keys()])].sort((a, b) => a - b),
      pieces: (campaignId, from, to) => this.#withWaiting(this.#pieces.all(campaignId, to, from), waiting.get(campaignId)),
    };
  }

  /** Every user who has an event of the campaign. */
  usersOf(campaignId: number): string[] {
    return this.#snapshot(() => this.#usersOf(campaignId));
  }

  #usersOf(campaignId: number): string[] {
    const { events, newNumbers } = this.#waiting();
    const integers = new Set<number>();
    const numbers = new Set<number>();
    for (const { user, kind } of this.#withWaiting(this.#pieces.all(campaignId, Infinity, -Infinity), events.get(campaignId))) {
      for (const [i, one] of user.entries()) ((kind[i] ?? 0) & NAMED ? numbers : integers).add(one);
    }
    const names = new Map([...newNumbers].map(([userId, number]) => [number, userId]));
    return [...[...integers].map(String), ...[...numbers].flatMap((number) => names.get(number) ?? this.#name.get(number) ?? [])];
  }

  #withWaiting(rolled: readonly Buffer[], waiting: ColumnsBuilder | undefined): EventColumns[] {
    return [...rolled.map(columnsFromBytes), ...(waiting ? [waiting.columns()] : [])];
  }

  #mark(): number {
    return this.#upTo.get() ?? 0;
  }

  /** What is in no rollup yet. */
  #waiting(): Waiting {
    return this.#read(this.#mark(), this.#last.get() ?? 0);
  }

  /** The events with an id behind `from` and up to `to`. */
  #read(from: number, to: number): Waiting {
    const events = new Map<number, ColumnsBuilder>();
    const newNumbers = new Map<string, number>();
    const first = (this.#numbers.get() ?? 0) + 1;
    const numberOf = (userId: string): number => this.#find.get(userId) ?? getOrSet(newNumbers, userId, () => first + newNumbers.size);
    for (const [campaignId, type, userId, at, overCap] of this.#between.iterate(from, to)) {
      getOrSet(events, campaignId, () => new ColumnsBuilder(numberOf)).add(type, userId, at, overCap === 1);
    }
    return { events, newNumbers };
  }
}

function getOrSet<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
