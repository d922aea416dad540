/** The days and hours of a time zone that events fall into. */
import { dayAround, formatDay, formatTime, hourStart } from "../time.js";

export type Unit = "day" | "hour";

/** Every zone in use changes its offset, and has its days and hours begin, on a quarter of an hour. */
const QUARTER_MS = 900_000;

export class Calendar {
  /** In the order in which they were met. */
  readonly periods: { /** Epoch ms. */ readonly start: number /** `2026-11-23`, or the start as `2026-11-23T14:00:00+07:00`. */; readonly name: string }[] = [];
  readonly #slots = new Map<number, number>();
  readonly #ofQuarter = new Map<number, number>();
  #lastQuarter = Number.NaN;
  #lastSlot = 0;

  constructor(
    private readonly timezone: string,
    private readonly unit: Unit,
  ) {}

  /** The place in {@link periods} of the period that holds a time, epoch ms. */
  slotOf(at: number): number {
    const quarter = Math.floor(at / QUARTER_MS);
    // Events that stand together are of the same time.
    if (quarter === this.#lastQuarter) return this.#lastSlot;
    let slot = this.#ofQuarter.get(quarter);
    if (slot === undefined) slot = this.#find(quarter);
    this.#lastQuarter = quarter;
    this.#lastSlot = slot;
    return slot;
  }

  #find(quarter: number): number {
    const at = quarter * QUARTER_MS;
    const { start, end } = this.unit === "day" ? dayAround(at, this.timezone) : { start: hourStart(at, this.timezone), end: at + QUARTER_MS };
    let slot = this.#slots.get(start);
    if (slot === undefined) {
      slot = this.periods.push({ start, name: this.unit === "day" ? formatDay(start, this.timezone) : formatTime(start, this.timezone) }) - 1;
      this.#slots.set(start, slot);
    }
    for (let one = quarter; one * QUARTER_MS < end; one++) this.#ofQuarter.set(one, slot);
    return slot;
  }
}
