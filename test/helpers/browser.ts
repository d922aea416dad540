/** A real Chromium without a window. */
import puppeteer, { type Browser } from "puppeteer-core";
import { readChromium } from "../../dist/config.js";
import { findBrowser } from "../../dist/preview/browser.js";

/** Undefined when this machine has none. */
function program(): string | undefined {
  try {
    return findBrowser(readChromium());
  } catch {
    return undefined;
  }
}

/** Why a test that needs a browser is skipped, or false where there is one. */
export const noBrowser: string | false = program() === undefined ? "no Chromium is installed: apt-get install chromium" : false;

/** Close it after use. @throws Error when there is none */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = program();
  if (executablePath === undefined) throw new Error(String(noBrowser));
  // Its sandbox does not work for root, as whom containers run; it is shown pages of this machine only.
  return puppeteer.launch({
    executablePath,
    headless: true,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-extensions", "--no-first-run"],
  });
}
