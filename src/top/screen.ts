/** The terminal's other screen, drawn over and over; what was on the terminal before is there again afterwards. */
import type { WriteStream } from "node:tty";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

export class Screen {
  #open = false;
  readonly #restore = (): void => this.close();

  constructor(private readonly out: WriteStream) {}

  get width(): number {
    return this.out.columns;
  }

  get height(): number {
    return this.out.rows;
  }

  /** The lines from the top; each clears what is behind it, so nothing flickers. */
  draw(lines: readonly string[]): void {
    if (!this.#open) {
      this.#open = true;
      // Whatever ends the process, the terminal is left as it was.
      process.once("exit", this.#restore);
      this.out.write(ENTER);
    }
    this.out.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off("exit", this.#restore);
    this.out.write(LEAVE);
  }
}
