/** What is wrong in the campaign files: all of it is looked for, and told together. */
import { PopupError, reasonOf } from "../errors.js";

/** A file with a mistake of its own on every line is mended in several turns. */
const MOST_TOLD = 20;

/** Where something stands. */
export interface Place {
  readonly file: string /** From 1 on; undefined for the file as a whole. */;
  readonly line?: number;
}

export class Faults {
  readonly #told: string[] = [];
  #count = 0;

  /** @param folder as it was named */
  constructor(private readonly folder: string) {}

  get count(): number {
    return this.#count;
  }

  add(place: Place, problem: string, hint: string): void {
    if (this.#count++ < MOST_TOLD) this.#told.push(`${placeText(place)}: ${problem} (${hint})`);
  }

  /** What a check threw; anything but a PopupError is thrown on. */
  addError(place: Place, error: unknown): void {
    if (!(error instanceof PopupError)) throw error;
    this.add(place, reasonOf(error), error.hint ?? "mend it");
  }

  /** @throws PopupError `bad_file` with all that was added, when something was */
  throwAny(): void {
    if (this.#count === 0) return;
    const more = this.#count - this.#told.length;
    throw new PopupError(
      "bad_file",
      [
        `${this.folder}: ${this.#count === 1 ? "a fault" : `${this.#count} faults`} in the campaign files`,
        ...this.#told.map((line) => `  ${line}`),
        ...(more > 0 ? [`  and ${more} more`] : []),
      ].join("\n"),
      { hint: "nothing was changed; mend the files and run it again" },
    );
  }
}

export function placeText({ file, line }: Place): string {
  return line === undefined ? file : `${file}, line ${line}`;
}
