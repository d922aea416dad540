/** A folder of campaign files → their texts. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { PopupError, reasonOf } from "../errors.js";
import type { Faults } from "./faults.js";

export interface FolderText {
  readonly file: string;
  readonly text: string;
}
export interface Folder {
  readonly texts: readonly FolderText[];
  /** Names of what is no campaign file and was not read. */
  readonly ignored: readonly string[];
}

const ENDINGS: readonly string[] = [".yaml", ".yml", ".json"];
const MOST_FILES = 1_000;
const MOST_BYTES = 1_048_576;

/**
 * The files directly in the folder, by name; hidden ones and folders are passed over.
 * @throws PopupError `bad_file` when the folder cannot be read, has too much in it, or has no campaign file
 */
export function readFolder(dir: string, faults: Faults): Folder {
  const names = namesIn(dir);
  const files = names.filter((name) => ENDINGS.includes(extname(name).toLowerCase()));
  if (files.length === 0) {
    throw new PopupError("bad_file", `${dir} has no campaign file in it`, {
      hint: `is it the right folder? files end in ${ENDINGS.join(", ")}; to end the last campaign, popup campaign end ID`,
    });
  }
  if (files.length > MOST_FILES)
    throw new PopupError("bad_file", `${dir} has ${files.length} campaign files in it`, {
      hint: `at most ${MOST_FILES} are read; a file may hold several campaigns`,
    });
  const texts = files.flatMap((file): FolderText[] => {
    const text = textOf(dir, file, faults);
    return text === undefined ? [] : [{ file, text }];
  });
  return { texts, ignored: names.filter((name) => !files.includes(name)) };
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => !name.startsWith("."))
      .sort();
  } catch (error) {
    throw new PopupError("bad_file", `the folder ${dir} cannot be read: ${reasonOf(error)}`, { hint: "name a folder of campaign files" });
  }
}

function textOf(dir: string, file: string, faults: Faults): string | undefined {
  try {
    const path = join(dir, file);
    const found = statSync(path);
    // A pipe would be waited for.
    if (!found.isFile()) return void faults.add({ file }, "is no file", "name the folder otherwise, or move it away");
    if (found.size > MOST_BYTES)
      return void faults.add(
        { file },
        `has ${found.size.toLocaleString("en-US")} bytes`,
        `at most ${MOST_BYTES.toLocaleString("en-US")} are read; make several files of it`,
      );
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    return void faults.add({ file }, `cannot be read: ${reasonOf(error)}`, "it has to be a text in UTF-8 that this user may read");
  }
}
