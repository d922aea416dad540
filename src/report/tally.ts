/** Counts the events of a campaign: what they were, by day or hour, and how many users they are of. */
import { type EventColumns, KIND, KINDS, NAMED } from "../event-columns.js";
import type { Calendar } from "./calendar.js";
import { UserCounts } from "./user-counts.js";

export interface Counts {
  /** Counted ones; those over a cap are apart. */
  readonly impressions: number;
  /** Distinct users with a counted impression. */
  readonly users: number;
  readonly clicks: number;
  readonly dismissals: number;
  readonly over_cap: number;
}

export interface Tally extends Counts {
  /** Periods with an event, in order, by their names in the calendar. */
  readonly periods: readonly (Counts & { readonly name: string })[];
  /** Users by how many counted impressions they have had: at index n those with n; the last stands for as many or more. */
  readonly usersByImpressions: readonly number[];
}

/** Longer tails are of no use to anyone. */
const MOST_IMPRESSIONS = 101;

/** Tallies one campaign after the other, in the same memory. */
export class Tallier {
  readonly #integers = new UserCounts();
  readonly #strings = new UserCounts();
  /** Of each impression: its user, whether that is the number of a string id, its period. */
  #users = new Uint32Array(0);
  #named = new Uint8Array(0);
  #slots = new Uint32Array(0);
  #order = new Uint32Array(0);

  /** @param from,to epoch ms, from inclusive, to exclusive */
  constructor(
    private readonly from: number,
    private readonly to: number,
    private readonly calendar: Calendar,
  ) {}

  tally(pieces: readonly EventColumns[]): Tally {
    this.#makeRoom(pieces.reduce((sum, { at }) => sum + at.length, 0));
    const { counts, shown } = this.#countKinds(pieces);
    const usersOfSlot = this.#countUsers(shown, counts.length / KINDS);
    const periods = this.calendar.periods
      .map(({ start, name }, slot) => ({ start, name, slot }))
      .sort((a, b) => a.start - b.start)
      .flatMap(({ name, slot }) => {
        const [impressions = 0, clicks = 0, dismissals = 0, over_cap = 0] = counts.slice(slot * KINDS, (slot + 1) * KINDS);
        return impressions + clicks + dismissals + over_cap === 0 ? [] : [{ name, impressions, users: usersOfSlot[slot] ?? 0, clicks, dismissals, over_cap }];
      });
    const sum = (name: "impressions" | "clicks" | "dismissals" | "over_cap"): number => periods.reduce((total, period) => total + period[name], 0);
    const usersByImpressions = new Array<number>(MOST_IMPRESSIONS + 1).fill(0);
    for (const users of [this.#integers, this.#strings]) users.addDistribution(usersByImpressions);
    return {
      impressions: sum("impressions"),
      users: this.#integers.size + this.#strings.size,
      clicks: sum("clicks"),
      dismissals: sum("dismissals"),
      over_cap: sum("over_cap"),
      periods,
      usersByImpressions,
    };
  }

  #makeRoom(events: number): void {
    if (events <= this.#users.length) return;
    this.#users = new Uint32Array(events);
    this.#named = new Uint8Array(events);
    this.#slots = new Uint32Array(events);
    this.#order = new Uint32Array(events);
  }

  /** How many events of each kind a period has; the impressions are noted for their users, `shown` of them. */
  #countKinds(pieces: readonly EventColumns[]): { counts: number[]; shown: number } {
    const { from, to, calendar } = this;
    const [users, named, slots] = [this.#users, this.#named, this.#slots];
    const counts: number[] = [];
    let shown = 0;
    for (const { at: times, user, kind: kinds } of pieces) {
      for (let i = 0; i < times.length; i++) {
        const at = times[i] ?? 0;
        if (at < from || at >= to) continue;
        const slot = calendar.slotOf(at);
        while (counts.length <= slot * KINDS) counts.push(0, 0, 0, 0);
        const kind = (kinds[i] ?? 0) & ~NAMED;
        counts[slot * KINDS + kind] = (counts[slot * KINDS + kind] ?? 0) + 1;
        if (kind !== KIND.impression) continue;
        users[shown] = user[i] ?? 0;
        named[shown] = (kinds[i] ?? 0) & NAMED;
        slots[shown++] = slot;
      }
    }
    return { counts, shown };
  }

  /** How many users each period has. */
  #countUsers(shown: number, howMany: number): number[] {
    const [integers, strings, users, named, slots] = [this.#integers, this.#strings, this.#users, this.#named, this.#slots];
    integers.clear();
    strings.clear();
    const usersOfSlot = new Array<number>(howMany).fill(0);
    for (const i of this.#bySlot(shown, howMany)) {
      const slot = slots[i] ?? 0;
      if ((named[i] === 0 ? integers : strings).add(users[i] ?? 0, slot)) usersOfSlot[slot] = (usersOfSlot[slot] ?? 0) + 1;
    }
    return usersOfSlot;
  }

  /** The impressions' places, those of slot 0 first (a counting sort). */
  #bySlot(shown: number, howMany: number): Uint32Array {
    const slots = this.#slots;
    const next = new Uint32Array(howMany + 1);
    for (let i = 0; i < shown; i++) next[(slots[i] ?? 0) + 1] = (next[(slots[i] ?? 0) + 1] ?? 0) + 1;
    for (let slot = 1; slot <= howMany; slot++) next[slot] = (next[slot] ?? 0) + (next[slot - 1] ?? 0);
    for (let i = 0; i < shown; i++) {
      const slot = slots[i] ?? 0;
      const place = next[slot] ?? 0;
      this.#order[place] = i;
      next[slot] = place + 1;
    }
    return this.#order.subarray(0, shown);
  }
}
