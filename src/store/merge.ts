/** Ordered lists read as one: what is in several of them comes once, with the places of those it is in. */

/** An ordered list that is read some at a time. */
export class Pages {
  #page: readonly string[] = [];
  #at = 0;

  /** @param read gives what comes after a text, at most `most` of it; fewer is the end */
  constructor(
    private readonly read: (after: string) => readonly string[],
    private readonly most: number,
  ) {
    this.#page = read("");
  }

  /** The next one, undefined at the end. */
  get head(): string | undefined {
    return this.#page[this.#at];
  }

  advance(): void {
    const last = this.head;
    if (++this.#at < this.#page.length || last === undefined) return;
    this.#page = this.#page.length < this.most ? [] : this.read(last);
    this.#at = 0;
  }
}

/** Every text in any of the lists, ascending, with the places of the lists it is in, ascending too. */
export function* merge(lists: readonly Pages[]): Generator<{ id: string; slots: number[] }> {
  // A binary heap of places: first the list whose head is the least, of equal ones the first list.
  const heap: number[] = [];
  const before = (a: number, b: number): boolean => {
    const [left = "", right = ""] = [lists[a]?.head, lists[b]?.head];
    return left < right || (left === right && a < b);
  };
  const sink = (from: number): void => {
    const moved = heap[from] ?? 0;
    let at = from;
    for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && before(heap[child + 1] ?? 0, heap[child] ?? 0)) child++;
      if (!before(heap[child] ?? 0, moved)) break;
      heap[at] = heap[child] ?? 0;
      at = child;
    }
    heap[at] = moved;
  };
  lists.forEach((list, slot) => {
    if (list.head !== undefined) heap.push(slot);
  });
  for (let at = heap.length >> 1; at >= 0; at--) if (at < heap.length) sink(at);
  while (heap.length > 0) {
    const id = lists[heap[0] ?? 0]?.head ?? "";
    const slots: number[] = [];
    for (let slot = heap[0]; slot !== undefined && lists[slot]?.head === id; slot = heap[0]) {
      slots.push(slot);
      lists[slot]?.advance();
      if (lists[slot]?.head === undefined) {
        const last = heap.pop() ?? 0;
        if (heap.length === 0) break;
        heap[0] = last;
      }
      sink(0);
    }
    yield { id, slots };
  }
}
