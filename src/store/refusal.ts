/** What SQLite says when it cannot do its work, in words for people. */
import { PopupError } from "../errors.js";

const REFUSALS: readonly (readonly [code: RegExp, message: string, hint: string])[] = [
  [
    /^SQLITE_BUSY/,
    "the store is locked by another process",
    "nothing was changed; another command is loading or a backup runs: wait for it, then run this again",
  ],
  [
    /^SQLITE_FULL/,
    "there is no room left on the disk of the store, or on that of temporary files",
    "nothing was changed; make room in the data folder and in the folder of SQLITE_TMPDIR, TMPDIR or /var/tmp, then run this again",
  ],
  [/^SQLITE_READONLY/, "the store cannot be written", "nothing was changed; check the permissions of the data folder and its popup.db files"],
  [/^SQLITE_IOERR/, "the disk of the store failed to read or write", "nothing was changed; see the system's log, and check limits on file sizes (ulimit -f)"],
  [/^SQLITE_(?:CORRUPT|NOTADB)/, "the store's file is damaged", "bring back a backup: docs/operations.md"],
];

/** The error in words, or undefined when it is none of SQLite's that a person can do something about. */
export function storeRefusal(error: unknown): PopupError | undefined {
  // Told by its name: most commands that fail have no SQLite in them, and loading it takes a while.
  if (!(error instanceof Error) || error.name !== "SqliteError") return undefined;
  const { code } = error as Error & { code: unknown };
  const found = typeof code === "string" ? REFUSALS.find(([pattern]) => pattern.test(code)) : undefined;
  return found && new PopupError("unavailable", `${found[1]}: ${error.message}`, { hint: found[2], cause: error });
}
