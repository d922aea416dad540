/** A page as a PNG, by a browser without a window. */
import { execFile } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PopupError, reasonOf } from "../errors.js";

export interface Size {
  /** CSS pixels, which are those of the picture. */
  readonly width: number;
  readonly height: number;
}

/** The page is pictured when all of it is there, or after this time without what has not come, ms. */
const LOAD_MS = 10_000;
/** A browser that is not done by then hangs, ms. */
const MOST_MS = 60_000;

/**
 * Writes the picture, whole or not at all.
 * @param browser the program of a Chromium
 * @throws PopupError `bad_file` when the file cannot be written, `unavailable` when the browser fails
 */
export async function screenshot(browser: string, url: string, size: Size, file: string): Promise<void> {
  // In the same folder, so that it can be renamed; the browser goes by the name's ending.
  const unfinished = `${file}.${process.pid}.png`;
  try {
    writing(file, () => writeFileSync(unfinished, "", { flag: "wx" }));
    const profile = mkdtempSync(join(tmpdir(), "popup-preview-"));
    try {
      await run(browser, [...argumentsOf(size), `--user-data-dir=${profile}`, `--screenshot=${unfinished}`, url]);
    } finally {
      // The browser's last processes may still write there.
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    }
    if (statSync(unfinished).size === 0) throw failure(browser, "it made no picture");
    writing(file, () => renameSync(unfinished, file));
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** The switches: https://peter.sh/experiments/chromium-command-line-switches/ */
function argumentsOf({ width, height }: Size): string[] {
  return [
    "--headless",
    `--window-size=${width},${height}`,
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    // Otherwise the picture is of a popup that is still rising.
    "--force-prefers-reduced-motion",
    `--timeout=${LOAD_MS}`,
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--no-first-run",
    // It does not start for root, as whom containers run; it is shown a page of this machine only.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ];
}

function run(browser: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(browser, args, { timeout: MOST_MS, killSignal: "SIGKILL" }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else if (error.killed === true) reject(failure(browser, `it was not done after ${MOST_MS / 1_000} s`, error));
      else reject(failure(browser, stderr.trim().split("\n").at(-1)?.slice(0, 300) || `it ended with ${error.code ?? error.signal}`, error));
    });
  });
}

function failure(browser: string, problem: string, cause?: unknown): PopupError {
  return new PopupError("unavailable", `--png: the browser ${browser} failed: ${problem}`, {
    hint: "name another in POPUP_CHROMIUM, or leave --png out and open the page in any browser",
    cause,
  });
}

function writing(file: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new PopupError("bad_file", `--png: ${file} cannot be written: ${reasonOf(error)}`, { hint: "check the folder and its permissions", cause: error });
  }
}
