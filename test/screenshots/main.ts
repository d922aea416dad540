/** `npm run screenshots`: the pictures of docs/images/, made from pages of a real engine. One page is one entry of {@link PAGES}. */
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "puppeteer-core";
import { configEnv, readConfig } from "../../dist/config.js";
import { freePort, inTemporaryFolder, POPUP, startPrivateEngine } from "../../dist/private-engine.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { launchBrowser } from "../helpers/browser.js";

interface Pictured {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Device pixels for each of the page's. */
  readonly scale?: number;
  /** Opens the page and does what is to be seen. */
  readonly open: (page: Page, engine: { readonly url: string; readonly popup: (...args: string[]) => string }) => Promise<void>;
}

const MOST_BYTES = 200_000;

const PAGES: readonly Pictured[] = [
  { name: "demo-phone", width: 390, height: 844, open: (page, { url }) => demo(page, url, "1001") },
  { name: "demo-desktop", width: 1_200, height: 864, open: (page, { url }) => demo(page, url, "2002") },
];

/** Logs in, and waits for the popup with its impression reported. */
async function demo(page: Page, url: string, user: string): Promise<void> {
  await page.goto(`${url}/demo`);
  await page.$eval("#user", (input, value) => void ((input as unknown as { value: string }).value = value), user);
  await page.click("#login button");
  await page.waitForSelector("#popup[open]");
  await page.waitForFunction('document.querySelector("#requests")?.textContent.includes("counted")');
  // The dialog's way up is over.
  await page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished)).then(() => undefined)");
}

const browser = await launchBrowser();
try {
  await inTemporaryFolder("screenshots", readConfig(), async (config) => {
    const env = configEnv(config);
    const popup = (...args: string[]): string => execFileSync(process.execPath, [POPUP, ...args], { env, cwd: PACKAGE_ROOT, encoding: "utf8" });
    popup("settings", "set", "timezone", "Asia/Jakarta");
    popup("segment", "load", "payroll", "fixtures/segment-payroll.csv");
    popup("segment", "load", "staff", "fixtures/segment-staff.csv");
    popup("campaign", "import", "fixtures/campaigns.json");
    popup("users", "load", "1", "fixtures/users-cashback.csv");
    const engine = await startPrivateEngine(config, await freePort(), { args: ["--demo"] });
    try {
      const folder = join(PACKAGE_ROOT, "docs/images");
      mkdirSync(folder, { recursive: true });
      for (const { name, width, height, scale = 1, open } of PAGES) {
        const page = await browser.newPage();
        await page.setViewport({ width, height, deviceScaleFactor: scale });
        await open(page, { url: engine.url, popup });
        const path = join(folder, `${name}.png`) as `${string}.png`;
        await page.screenshot({ path });
        await page.close();
        const { size } = statSync(path);
        if (size > MOST_BYTES) throw new Error(`${path}: ${size} bytes, more than ${MOST_BYTES}`);
        console.log(`${path}: ${size} bytes`);
      }
    } finally {
      await engine.stop();
    }
  });
} finally {
  await browser.close();
}
