/** Asking before something that cannot be undone. */
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { PopupError } from "../errors.js";

export interface YesFlag {
  readonly yes?: boolean;
}

/** Gives a command its `--yes`. */
export function addYes(command: Command): Command {
  return command.option("--yes", "do not ask; needed where nobody can be asked");
}

/**
 * Returns when it may be done: `--yes` was given, or a person says so. The question goes to stderr, so that results stay what they are.
 * @param question ends with its question mark
 * @throws PopupError `usage` where there is no terminal to ask on, `conflict` when the answer is no
 */
export async function confirm(question: string, flags: YesFlag): Promise<void> {
  if (flags.yes === true) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new PopupError("usage", `there is no terminal to ask on: ${question}`, { hint: "nothing was changed; say --yes if it is meant" });
  }
  if (await ask(`${question} [y/N] `)) return;
  throw new PopupError("conflict", "it was not confirmed", { hint: "nothing was changed; answer y, or say --yes" });
}

/** True for y and yes; false for all else, for Ctrl-C and for the end of the input. */
async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new AbortController();
  terminal.once("SIGINT", () => terminal.close());
  terminal.once("close", () => ended.abort());
  try {
    return /^y(?:es)?$/i.test((await terminal.question(question, { signal: ended.signal })).trim());
  } catch (error) {
    if (!ended.signal.aborted) throw error;
    process.stderr.write("\n");
    return false;
  } finally {
    terminal.close();
  }
}
