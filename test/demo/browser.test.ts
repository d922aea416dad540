/** The demo page and the client for apps in a real Chromium: the happy way, caps, a server that is down or slow, no network, and a page that goes away. */
import type { IncomingHttpHeaders } from "node:http";
import type { Browser, Page } from "puppeteer-core";
import type { Test } from "tap";
import t from "tap";
import { demoFiles } from "../../dist/http/demo-page.js";
import { Proxy } from "../chaos/proxy.js";
import { anotherApi } from "../helpers/another-api.js";
import { launchBrowser, noBrowser } from "../helpers/browser.js";
import { startEngine, type TestEngine } from "../helpers/engine.js";
import { Random } from "../helpers/random.js";
import { reportAll } from "../helpers/stored.js";
import { until } from "../helpers/until.js";
import { fakeEngine } from "../load-test/fake-engine.js";

/** Longer than a test machine is ever busy, ms. */
const PATIENT = 25_000;
/** A green pixel. */
const PICTURE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

t.test("in a browser", { skip: noBrowser }, async (t) => {
  const plain = await startEngine(t);
  const engine = await anotherApi(t, plain, { demo: true });
  let browser: Browser | undefined;
  t.teardown(() => browser?.close());
  const chromium = (browser = await launchBrowser());
  const pictures = await fakeEngine(t, (_request, response) => void response.writeHead(200, { "content-type": "image/png" }).end(PICTURE));

  /** Campaigns for `user` alone, the first of the highest priority; their ids. */
  const campaigns = async (user: string, ...all: Record<string, unknown>[]): Promise<number[]> => {
    const ids = all.map((fields, place) => {
      const id = plain.campaign({ target: "users", priority: 10 - place, caps: ["1/total"], ...fields });
      plain.audience({ kind: "users", campaignId: id }, [user]);
      return id;
    });
    await plain.publish();
    await engine.api?.engine.refresh();
    return ids;
  };
  const stored = async (id: number): Promise<unknown> => {
    await plain.drain();
    return reportAll(plain.store, id).map(({ impressions, clicks, dismissals, over_cap }) => [impressions, clicks, dismissals, over_cap])[0];
  };
  /** The page, where nothing goes wrong that nobody sees. */
  const open = async (t: Test, path = `/demo?timeout=${PATIENT}`, base = engine.url): Promise<Page> => {
    const page = await chromium.newPage();
    page.on("pageerror", (error) => t.fail(`the page throws: ${String(error)}`));
    // A picture or a request without an answer is told there too; what the policy stops is no such thing.
    page.on(
      "console",
      (message) => message.type() === "error" && !message.text().startsWith("Failed to load resource") && t.fail(`the console: ${message.text()}`),
    );
    t.teardown(() => page.close());
    await page.goto(base + path);
    return page;
  };
  const login = async (page: Page, user: string): Promise<void> => {
    await page.locator("#user").fill(user);
    await page.click("#login button");
    await page.waitForSelector("#home:not([hidden])");
  };
  const popupShown = (page: Page, title: string): Promise<unknown> => page.waitForSelector(`::-p-aria([role="dialog"][name="${title}"])`, { timeout: PATIENT });
  const says = (page: Page, text: string): Promise<unknown> =>
    page.waitForFunction((part) => (globalThis as unknown as Dom).document.querySelector("#state")?.textContent.includes(part), { timeout: PATIENT }, text);
  const focused = (page: Page): Promise<string> => page.evaluate("document.activeElement.id") as Promise<string>;
  const hidesBalance = async (page: Page): Promise<boolean> => {
    await page.click("#hide");
    return (await page.$eval("#balance", (element) => element.textContent)) === "••••••";
  };

  await t.test("log in, see it, click; the cap is closed and the next one comes; Escape; none is left", async (t) => {
    const [first = 0, second = 0] = await campaigns(
      "happy",
      { title: "First offer", body: "Ten percent.", image_url: `${pictures.replace("127.0.0.1", "localhost")}/a.png`, action_url: "bankapp:first" },
      { title: "Second offer", image_url: "https://bank.invalid/none.png" },
    );
    const page = await open(t);
    await login(page, "happy");
    await popupShown(page, "First offer");
    t.equal(await focused(page), "popup-open", "the focus is in the dialog");
    t.equal(await page.$eval("#popup-body", (element) => element.textContent), "Ten percent.");
    await page.waitForSelector("#popup-image:not([hidden])", { timeout: PATIENT });
    const stops = new Set<string>();
    for (let n = 0; n < 8; n++) {
      await page.keyboard.press("Tab");
      stops.add(await focused(page));
    }
    t.same(
      [...stops].filter((id) => id !== ""),
      ["popup-later", "popup-close", "popup-open"],
      "and the keyboard stays in it",
    );
    await until("the impression is counted", async () => String(await stored(first)) === "1,0,0,0");
    await page.click("#popup-open");
    t.match(await page.$eval("#toast", (element) => element.textContent), "bankapp:first");
    t.equal(await focused(page), "welcome", "the focus is back");
    await until("the click is recorded", async () => String(await stored(first)) === "1,1,0,0");

    await page.click("#again");
    await popupShown(page, "Second offer");
    t.ok(await page.$eval("#popup-image", (element) => (element as unknown as { hidden: boolean }).hidden), "a picture that cannot be had is not there");
    await page.keyboard.press("Escape");
    await page.waitForSelector("#popup:not([open])");
    t.equal(await focused(page), "again");
    await until("the dismissal is recorded", async () => String(await stored(second)) === "1,0,1,0");

    await page.click("#again");
    await says(page, "No popup");
    t.match(
      await page.$$eval("#requests code", (lines) => lines.map((line) => line.textContent).join("\n")),
      /GET \/v1\/campaigns\/popup\?user_id=happy&session_id=login-\w+[^]*POST \/v1\/campaigns\/\d+\/dismiss[^]*"recorded":true/,
    );
    await until("the panel says why", async () =>
      /Second offer[^]*1\/total: 1 shown/.test((await page.$eval("#explain", (element) => element.textContent)) ?? ""),
    );
    await page.click("#logout");
    t.equal(await focused(page), "user");
  });

  await t.test("a slow server: the page is there and works, and the popup comes late, or is given up", async (t) => {
    await campaigns("slow", { title: "Late offer" });
    const proxy = await Proxy.open(Number(new URL(engine.url).port), new Random(1));
    t.teardown(() => proxy.close());
    const base = `http://127.0.0.1:${proxy.port}`;
    const patient = await open(t, `/demo?timeout=${PATIENT}`, base);
    const usual = await open(t, "/demo?timeout=100", base);
    proxy.set({ stalled: true });
    await usual.bringToFront();
    await login(usual, "slow");
    await says(usual, "No popup");
    t.ok(await hidesBalance(usual), "and the page works");
    t.match(await usual.$eval("#requests", (element) => element.textContent), "given up");
    await patient.bringToFront();
    await login(patient, "slow");
    t.ok(await hidesBalance(patient), "the page works while the request hangs");
    t.match(await patient.$eval("#state", (element) => element.textContent), "Asking");
    proxy.set();
    await popupShown(patient, "Late offer");
  });

  await t.test("a server that is down: no popup, and nothing else", async (t) => {
    const proxy = await Proxy.open(Number(new URL(engine.url).port), new Random(1));
    const page = await open(t, undefined, `http://127.0.0.1:${proxy.port}`);
    await proxy.close();
    await login(page, "happy");
    await says(page, "No popup");
    t.ok(await hidesBalance(page));
    t.notOk(await page.$("#popup[open]"));
  });

  await t.test("no network, then network again: what waited arrives once", async (t) => {
    const [id = 0] = await campaigns("offline", { title: "Tunnel offer" });
    const page = await open(t);
    await page.evaluate(`(async () => {
      const { createPopupClient } = await import("/demo/client/index.js");
      globalThis.app = createPopupClient({ baseUrl: location.origin, userId: "offline", timeout: ${PATIENT} });
      globalThis.popup = await app.getPopup();
    })()`);
    await page.setOfflineMode(true);
    await page.evaluate("app.shown(popup); app.clicked(popup); app.flush()");
    t.equal(await page.evaluate("JSON.parse(localStorage.getItem(`popup-engine ${location.origin} offline`)).length"), 2, "both wait in localStorage");
    t.same(await stored(id), [0, 0, 0, 0]);
    await page.setOfflineMode(false);
    await until("they have arrived", async () => String(await stored(id)) === "1,1,0,0");
    await until("nothing waits any more", async () => (await page.evaluate("localStorage.length")) === 0);

    await campaigns("panel", { title: "Told offer" });
    await login(page, "panel");
    await popupShown(page, "Told offer");
    await until("the impression is counted", async () => (await page.evaluate("localStorage.length")) === 0);
    await page.setOfflineMode(true);
    await page.click("#popup-later");
    await page.waitForFunction('document.querySelector("#waiting").textContent.startsWith("1 report waits") && !document.querySelector("#waiting").hidden', {
      timeout: PATIENT,
    });
    await page.setOfflineMode(false);
    await page.waitForSelector("#waiting[hidden]", { timeout: PATIENT });
  });

  await t.test("a page that goes away hands over what waits: by a beacon, or with its token by a request that outlives it", async (t) => {
    const posts: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];
    const files = demoFiles();
    const busy = await fakeEngine(t, (request, response) => {
      const file = files.find(({ path }) => path === request.url);
      if (file) response.writeHead(200, { "content-type": file.type }).end(file.text);
      else if (request.method !== "POST") response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
      else {
        request.resume();
        request.on("end", () => {
          posts.push({ path: request.url ?? "", headers: request.headers });
          response.writeHead(503, { "retry-after": "60" }).end();
        });
      }
    });
    for (const [token, kind] of [
      [undefined, "beacon"],
      ["secret", "fetch"],
    ] as const) {
      posts.length = 0;
      const page = await open(t, "/", busy);
      await page.evaluate(`(async () => {
        const { createPopupClient } = await import("/demo/client/index.js");
        const app = createPopupClient({ baseUrl: location.origin, userId: "${kind}", token: ${JSON.stringify(token)} });
        app.shown({ campaign_id: 1, impression_id: "show-1" });
        await app.flush();
      })()`);
      await until("it was refused, for a minute", () => posts.length > 0);
      await page.setOfflineMode(true);
      await page.setOfflineMode(false);
      await until("it comes again with the network", () => posts.length > 1);
      const before = posts.length;
      await page.goto("about:blank");
      const last = await until("it comes once more", () => posts[before]);
      t.match(last.path, "/v1/campaigns/1/impression", kind);
      t.match(last.headers, { "content-type": /^text\/plain/, "sec-fetch-mode": kind === "beacon" ? "no-cors" : "cors" }, kind);
      t.equal(last.headers.authorization, token && `Bearer ${token}`, kind);
    }
  });

  await t.test("an app of another origin, with a token, so that the browser asks beforehand", async (t) => {
    const [id = 0] = await campaigns("cross", { title: "Cross offer" });
    const files = demoFiles();
    const web = await fakeEngine(t, (request, response) => {
      const file = files.find(({ path }) => path === request.url);
      response.writeHead(200, { "content-type": file?.type ?? "text/html" }).end(file?.text ?? "<!doctype html>");
    });
    const cross: TestEngine = await anotherApi(t, plain, { corsOrigins: [web] });
    const page = await open(t, "/", web);
    const asked = await page.evaluate(`(async () => {
      const { createPopupClient } = await import("/demo/client/index.js");
      const errors = [];
      const app = createPopupClient({ baseUrl: "${cross.url}", userId: "cross", token: "any", timeout: ${PATIENT}, onError: (error) => errors.push(error.message) });
      const popup = await app.getPopup();
      if (popup) app.shown(popup);
      await app.flush();
      return { title: popup?.title, errors };
    })()`);
    t.same(asked, { title: "Cross offer", errors: [] });
    t.same(await stored(id), [1, 0, 0, 0]);
  });
});

/** As much of the DOM as is spoken of here: tests are checked without its types. */
interface Dom {
  readonly document: { querySelector(selector: string): { readonly textContent: string } | null };
}
