/** How often each user was shown something: a table of numbers with open addressing, a fifth of the time and memory of a Map. */

/** Of a place: the user, the count (0 where the place is free), the period in which the user was seen last. They lie together: a look is one miss of the cache. */
const WIDTH = 3;
const COUNT = 1;
const PERIOD = 2;
const FIRST_PLACES = 1 << 10;

export class UserCounts {
  /** Distinct users. */
  size = 0;
  #places = FIRST_PLACES;
  #table = new Uint32Array(FIRST_PLACES * WIDTH);

  /** Forgets everybody; keeps its memory for the next. */
  clear(): void {
    this.size = 0;
    this.#table.fill(0);
  }

  /** Counts a showing. All of a period's come one after the other. @returns whether it is the user's first in the period */
  add(user: number, period: number): boolean {
    if (this.size * 2 >= this.#places) this.#grow();
    const table = this.#table;
    const place = this.#placeOf(user);
    const count = table[place + COUNT] ?? 0;
    table[place + COUNT] = count + 1;
    if (count === 0) {
      this.size++;
      table[place] = user;
    } else if (table[place + PERIOD] === period) return false;
    table[place + PERIOD] = period;
    return true;
  }

  /** Adds the users to those in `users` by their count: at index n those with n, in its last also those with more. */
  addDistribution(users: number[]): void {
    for (let place = COUNT; place < this.#table.length; place += WIDTH) {
      const count = this.#table[place] ?? 0;
      if (count > 0) users[Math.min(count, users.length - 1)] = (users[Math.min(count, users.length - 1)] ?? 0) + 1;
    }
  }

  /** Where the user is, or may be put. */
  #placeOf(user: number): number {
    const table = this.#table;
    const mask = this.#places - 1;
    // Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): neighbouring ids are put far apart.
    let place = (Math.imul(user, 0x9e3779b1) >>> 7) & mask;
    while (table[place * WIDTH + COUNT] !== 0 && table[place * WIDTH] !== user) place = (place + 1) & mask;
    return place * WIDTH;
  }

  #grow(): void {
    const before = this.#table;
    this.#places *= 2;
    this.#table = new Uint32Array(this.#places * WIDTH);
    for (let from = 0; from < before.length; from += WIDTH) {
      if (before[from + COUNT] === 0) continue;
      const to = this.#placeOf(before[from] ?? 0);
      for (let i = 0; i < WIDTH; i++) this.#table[to + i] = before[from + i] ?? 0;
    }
  }
}
