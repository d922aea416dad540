/** Runs the command line and gives its exit code: 0 done, 1 failed, 2 wrong usage, 3 it waits for an approval. */
import { CommanderError } from "commander";
import { EXIT_CODE, PopupError, reasonOf } from "../errors.js";
import { refusalOf } from "../redis/refusal.js";
import { maskSecrets } from "../secrets.js";
import { storeRefusal } from "../store/refusal.js";
import { Exit } from "./exit.js";
import { buildProgram } from "./program.js";

const OUR_FAULT = "this is a fault of popup; POPUP_TRACE=1 shows where";

/** @param args without node and the script */
export async function main(args: readonly string[]): Promise<number> {
  // A reader that has seen enough (popup … | head) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  try {
    await buildProgram().parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    // Commander has said its own errors already.
    if (error instanceof Exit) return error.code;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const told = error instanceof PopupError ? error : storeRefusal(error);
    if (told) {
      say(`popup: ${told.message}\n  ${told.hint ?? OUR_FAULT}\n`);
      return EXIT_CODE[told.code];
    }
    // Redis may refuse a single command, long after it let us in.
    const refusal = refusalOf(error);
    if (refusal) {
      say(`popup: ${refusal.message}\n  ${refusal.hint}\n`);
      return EXIT_CODE.unavailable;
    }
    say(`popup: internal error: ${reasonOf(error)}\n  ${OUR_FAULT}\n`);
    if (process.env.POPUP_TRACE === "1" && error instanceof Error) say(`${error.stack ?? ""}\n`);
    return 1;
  }
}

function say(text: string): void {
  process.stderr.write(maskSecrets(text));
}
