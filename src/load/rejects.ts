/** The rows that a load leaves out, in a CSV of their own: line number, reason, the row as it stood. */
import { closeSync, openSync, writeSync } from "node:fs";
import { PopupError, reasonOf } from "../errors.js";

export interface Rejection { readonly line: number; readonly reason: string; readonly text: string }

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

  close(): void {
    if (this.#waiting !== "") this.#write();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #write(): void {
    const text = this.#waiting;
    this.#waiting = "";
    try {
      this.#file ??= openSync(this.path, "w");
      writeSync(this.#file, text);
    } catch (error) {
      throw new PopupError("bad_file", `the rejected rows cannot be written to ${this.path}: ${reasonOf(error)}`, { hint: "nothing was loaded; name another file with --rejects", cause: error });
    }
  }
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
