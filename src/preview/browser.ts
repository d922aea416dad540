/** The Chromium or Chrome of this machine. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { PopupError } from "../errors.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const PLACES = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"];

/**
 * Its program.
 * @param named in place of the first that is found
 * @throws PopupError `unavailable` when there is none
 */
export function findBrowser(named: string | undefined, path = process.env.PATH ?? ""): string {
  if (named !== undefined) {
    if (isProgram(named)) return named;
    throw new PopupError("unavailable", `POPUP_CHROMIUM: ${named} is no program that can be run`, {
      hint: "name the file of a Chromium or Chrome, or unset it to have one looked for",
    });
  }
  const found = [...path.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name))), ...PLACES].find(isProgram);
  if (found === undefined)
    throw new PopupError("unavailable", "--png: no Chromium or Chrome is found on this machine", {
      hint: "install one (apt-get install chromium), name its file in POPUP_CHROMIUM, or leave --png out and open the page in any browser",
    });
  return found;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
