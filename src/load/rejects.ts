/** The rows that a load leaves out, in a CSV of their own: line number, reason, the row as it stood. */
import { closeSync, fstatSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { invalid, PopupError, reasonOf } from "../errors.js";

export interface Rejection {
  readonly line: number;
  readonly reason: string;
  readonly text: string;
}

/** Written together, characters. */
const BUFFER = 65_536;

export class RejectFile {
  #file: number | undefined;
  #waiting = "";
  #count = 0;
  #first: Rejection | undefined;

  /** @param path where it is written once there is something to write: over what is there */
  constructor(readonly path: string) {}

  get count(): number {
    return this.#count;
  }

  get first(): Rejection | undefined {
    return this.#first;
  }

  /** @throws PopupError `bad_file` when it cannot be written */
  add(line: number, reason: string, text: string): void {
    if (this.#count++ === 0) {
      this.#first = { line, reason, text };
      this.#waiting = "line,reason,text\n";
    }
    this.#waiting += `${line},${quoted(reason)},${quoted(text)}\n`;
    if (this.#waiting.length >= BUFFER) this.#write();
  }

  /** Writes what waits. @throws PopupError `bad_file` when it cannot be written */
  end(): void {
    if (this.#waiting !== "") this.#write();
    this.close();
  }

  /** Gives the file back, whatever is in it. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  /** Takes away what an earlier load of the file has left here. */
  removeOld(): void {
    rmSync(this.path, { force: true });
  }

  /** @param input a path, or `-` for standard input @throws PopupError `invalid` when the rejected rows would be written over it */
  checkIsNot(input: string): void {
    const there = statSync(this.path, { throwIfNoEntry: false });
    const read = input === "-" ? fstatSync(0) : statSync(input, { throwIfNoEntry: false });
    if (there && read && there.dev === read.dev && there.ino === read.ino)
      throw invalid("--rejects", `"${this.path}" is the file that is loaded`, "name another");
  }

  #write(): void {
    const text = this.#waiting;
    this.#waiting = "";
    try {
      this.#file ??= openSync(this.path, "w");
      // Not writeSync, which may write a part.
      writeFileSync(this.#file, text);
    } catch (error) {
      throw new PopupError("bad_file", `the rejected rows cannot be written to ${this.path}: ${reasonOf(error)}`, {
        hint: "nothing was loaded; name another file with --rejects",
        cause: error,
      });
    }
  }
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
