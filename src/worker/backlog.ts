/** The alarm over what awaits a sink: told once when it is too much, and once when it is over. */

/** Entries; one holds the events of a shared call, so that this is a minute or more of a busy engine. */
const MOST_BACKLOG = 100_000;

export class Backlog {
  #tooMany = false;

  /** @param most entries that may wait */
  constructor(
    private readonly most: number = MOST_BACKLOG,
    private readonly tell: (entries: number, tooMany: boolean) => void = () => undefined,
  ) {}

  /** @param entries that wait now */
  look(entries: number): void {
    // Over at half of it: a backlog that stands at the limit is one incident.
    const tooMany = this.#tooMany ? entries > this.most / 2 : entries > this.most;
    if (tooMany === this.#tooMany) return;
    this.#tooMany = tooMany;
    this.tell(entries, tooMany);
  }
}
