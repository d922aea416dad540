/** `--html FILE`: a page that is written beside what a command prints. */
import { writeFileSync } from "node:fs";
import { PopupError, reasonOf } from "../errors.js";

/** @throws PopupError `bad_file` */
export function writePage(path: string, page: string): void {
  try {
    writeFileSync(path, page);
  } catch (error) {
    throw new PopupError("bad_file", `--html: ${path} cannot be written: ${reasonOf(error)}`, { hint: "check the folder and its permissions" });
  }
}
