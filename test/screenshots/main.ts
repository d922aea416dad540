/** `npm run screenshots`: the pictures of docs/images/, made from pages of a real engine. One page is one entry of {@link PAGES}. */
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "puppeteer-core";
import { configEnv, readConfig } from "../../dist/config.js";
import type { PopupEvent } from "../../dist/event.js";
import { freePort, inTemporaryFolder, POPUP, startPrivateEngine } from "../../dist/private-engine.js";
import { openStore } from "../../dist/store/store.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { launchBrowser } from "../helpers/browser.js";
import { Random } from "../helpers/random.js";

interface Engine {
  readonly url: string;
  /** The engine's data folder. */
  readonly folder: string;
  readonly popup: (...args: string[]) => string;
}

interface Pictured {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Device pixels for each of the page's. */
  readonly scale?: number;
  /** Opens the page and does what is to be seen. */
  readonly open: (page: Page, engine: Engine) => Promise<void>;
}

const MOST_BYTES = 200_000;

const PAGES: readonly Pictured[] = [
  { name: "demo-phone", width: 390, height: 844, open: (page, { url }) => demo(page, url, "1001") },
  { name: "demo-desktop", width: 1_200, height: 864, open: (page, { url }) => demo(page, url, "2002") },
  { name: "report", width: 1_000, height: 1_000, open: report },
  { name: "bench", width: 1_000, height: 1_000, open: bench },
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

/** The first of November in Jakarta. */
const FROM = Date.UTC(2026, 9, 31, 17);
const USERS = 1_500;
const HOUR = 3_600_000;

/** Three weeks of showings that a seed repeats, as the worker would have written them: more by day than by night, some with a click. */
async function report(page: Page, { folder, popup }: Engine): Promise<void> {
  const store = openStore(join(folder, "popup.db"), { actor: "screenshots" });
  try {
    store.events.write(eventsOf(new Random(7)));
  } finally {
    store.close();
  }
  const list = join(folder, "payroll.csv");
  writeFileSync(list, ["user_id", ...Array.from({ length: USERS }, (_, i) => i + 1)].join("\n"));
  popup("segment", "load", "payroll", list);
  const file = join(folder, "report.html");
  popup("report", "2", "--from", "2026-11-01", "--to", "2026-11-22", "--html", file);
  await page.goto(pathToFileURL(file).href);
}

function eventsOf(random: Random): PopupEvent[] {
  const events: PopupEvent[] = [];
  for (let hour = 0; hour < 21 * 24; hour++) {
    // Weekends are quieter, and interest fades.
    const daylight = 1 + Math.cos(((hour - 12) / 12) * Math.PI);
    const most = Math.round(14 * daylight * (hour % 168 > 120 ? 0.6 : 1) * (1 - hour / 1_000));
    for (let n = random.between(0, most); n > 0; n--) {
      const at = FROM + hour * HOUR + random.between(0, HOUR - 1);
      const shown = { campaignId: 2, userId: String(random.between(1, USERS)), impressionId: `s${events.length}`, overCap: false, sessionId: null };
      events.push({ ...shown, type: "impression", at, overCap: random.chance(0.02) });
      if (random.chance(0.12)) events.push({ ...shown, type: "click", at: at + 4_000 });
      else if (random.chance(0.2)) events.push({ ...shown, type: "dismiss", at: at + 2_000 });
    }
  }
  return events;
}

async function bench(page: Page, { folder, popup }: Engine): Promise<void> {
  const file = join(folder, "bench.html");
  popup("--quiet", "bench", "--self", "--duration", "5", "--html", file);
  await page.goto(pathToFileURL(file).href);
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
        await open(page, { url: engine.url, folder: config.dataDir, popup });
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
