/** Whose popups are asked for: the flag `--users`, a range of integer ids or a file of ids. */
import { readFileSync } from "node:fs";
import { invalid, PopupError, reasonOf } from "../errors.js";
import { isUserId, MAX_INTEGER_ID, USER_ID_RULE } from "../user-id.js";

export type UsersSource = { readonly kind: "range"; readonly first: number; readonly last: number } | { readonly kind: "file"; readonly path: string };

/** Every user once, by number. */
export interface Users {
  readonly count: number;
  at(index: number): string;
}

const HEADER = "user_id";

/** @throws PopupError `invalid` for a range that is none; a file is looked at by {@link openUsers} */
export function parseUsers(text: string): UsersSource {
  const match = /^(\d{1,12})-(\d{1,12})$/.exec(text);
  if (!match) return { kind: "file", path: text };
  const first = Number(match[1]);
  const last = Number(match[2]);
  if (last < first) throw invalid("--users", `"${text}" ends before it begins`, "write FIRST-LAST such as 1-1000000");
  if (last > MAX_INTEGER_ID)
    throw invalid("--users", `"${text}" goes beyond the integer ids`, `they end at ${MAX_INTEGER_ID}; for other ids name a file with one id a line`);
  return { kind: "range", first, last };
}

/**
 * @throws PopupError `invalid` when there is no such file, `bad_file` when a line of it is no user id
 */
export function openUsers(source: UsersSource): Users {
  if (source.kind === "range") return { count: source.last - source.first + 1, at: (index) => String(source.first + index) };
  const ids = readIds(source.path);
  return { count: ids.length, at: (index) => ids[index] ?? "" };
}

function readIds(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw invalid(
      "--users",
      missing ? `"${path}" is neither a range nor a file` : `${path} cannot be read: ${reasonOf(error)}`,
      "write a range such as 1-1000000, or name a file with one id a line",
    );
  }
  const ids: string[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    const id = line.trim();
    if (id === "" || (index === 0 && id === HEADER)) continue;
    if (!isUserId(id))
      throw new PopupError("bad_file", `--users: ${path}, line ${index + 1}: "${id.slice(0, 70)}" is not a user id`, {
        field: "--users",
        hint: `one id a line: ${USER_ID_RULE}; a first line ${HEADER} is skipped`,
      });
    ids.push(id);
  }
  if (ids.length === 0) throw new PopupError("bad_file", `--users: ${path} has no user ids`, { field: "--users", hint: "write one id a line" });
  return ids;
}
