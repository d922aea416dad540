/** `popup preview`: the page and the picture in a real Chromium, and what is wrong. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { findBrowser } from "../../dist/preview/browser.js";
import { servePreview } from "../../dist/preview/page.js";
import { createCampaign } from "../../dist/store/campaign-changes.js";
import { launchBrowser, noBrowser } from "../helpers/browser.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { testStore } from "../helpers/store.js";
import { fakeEngine } from "../load-test/fake-engine.js";

const DRAFT = {
  // What would end an element, and what a replacement would expand.
  title: "Payday </script>$& <b>10 %</b>",
  body: "Ten percent back.",
  image_url: "https://bank.invalid/none.png",
  action_url: "bankapp:offers/payday",
  priority: 1,
  target: "users",
  start_time: "2020-01-01",
  end_time: "2040-01-01",
};

t.test("the page shows the campaign with its buttons, and asks nobody for anything else", { skip: noBrowser }, async (t) => {
  const { store } = testStore(t);
  const server = await servePreview(createCampaign(store, DRAFT));
  t.teardown(() => server.close());
  const browser = await launchBrowser();
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  const asked: string[] = [];
  page.on("pageerror", (error) => t.fail(`the page throws: ${String(error)}`));
  page.on("request", (request) => void asked.push(request.url()));
  await page.goto(server.url);
  const text = (selector: string): Promise<string | null> => page.$eval(selector, (element) => element.textContent);
  await page.waitForSelector(`#popup[open]`);
  t.equal(await text("#popup-title"), DRAFT.title);
  t.equal(await text("#popup-body"), DRAFT.body);
  t.same(await page.$$eval("#popup .choices button", (buttons) => buttons.map((button) => button.textContent)), ["Show me", "Not now"]);
  t.match(await text("#state"), "A preview of campaign 1 (draft): no engine is asked, and nothing counts.");
  await page.click("#popup-open");
  t.match(await text("#toast"), DRAFT.action_url);
  await page.click("#again");
  await page.waitForSelector("#popup[open]");
  await page.click("#popup-later");
  t.match(await text("#state"), "Dismissed.");
  t.ok(asked.includes(DRAFT.image_url), "its picture is asked for");
  t.same(
    asked.filter((url) => url !== DRAFT.image_url && !url.startsWith(server.url) && !url.startsWith("data:")),
    [],
  );
  t.equal((await fetch(new URL("/v1/campaigns/popup?user_id=1", server.url))).status, 404, "there is no engine");
});

t.test("a picture of the size that was asked for; what is wrong leaves no file", { skip: noBrowser }, async (t) => {
  const popup = cli(t);
  const file = (name: string): string => join(popup.dir, name);
  const asked: string[] = [];
  const pictures = await fakeEngine(t, (request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(404).end();
  });
  const create = ["campaign", "create", "--title", "T", "--image-url", `${pictures.replace("127.0.0.1", "localhost")}/a.png`, "--action-url", "app:x"];
  const [, made, unknown, folder, size, id] = await runMany(popup, [
    [...create, "--priority", "1", "--target", "all", "--start", "2020-01-01", "--end", "2040-01-01"],
    ["preview", "1", "--png", file("popup.png"), "--size", "400x700", "--json"],
    ["preview", "9"],
    ["preview", "1", "--png", file("none/popup.png")],
    ["preview", "1", "--png", file("small.png"), "--size", "100x700"],
    ["preview", "x"],
  ]);
  t.same(made, { code: 0, stdout: `${JSON.stringify({ campaign_id: 1, png: file("popup.png") })}\n`, stderr: "" });
  const png = readFileSync(file("popup.png"));
  t.equal(png.toString("latin1", 0, 8), "\x89PNG\r\n\x1a\n");
  t.same([png.readUInt32BE(16), png.readUInt32BE(20)], [400, 700]);
  t.same(asked, ["/a.png"], "the popup was open when it was made");
  t.match(unknown, { code: 1, stdout: "", stderr: /^popup: campaign 9 does not exist\n/ });
  t.match(folder, { code: 1, stdout: "", stderr: /^popup: --png: \S+ cannot be written: ENOENT.*\n {2}check the folder/ });
  t.match(size, { code: 2, stdout: "", stderr: /^popup: --size: "100x700" is not a size\n/ });
  t.match(id, { code: 2, stdout: "" });
  const [failed] = await runMany({ env: { ...popup.env, POPUP_CHROMIUM: "/bin/false" } }, [["preview", "1", "--png", file("failed.png")]]);
  t.match(failed, { code: 1, stdout: "", stderr: /^popup: --png: the browser \/bin\/false failed: it ended with 1\n/ });
  t.same(readdirSync(popup.dir).sort(), ["data", "popup.png"]);
});

t.test("without a browser it says so, and what else there is", (t) => {
  const empty = dirname(testStore(t).path);
  t.notOk(existsSync(join(empty, "chromium")));
  if (process.platform === "linux") t.throws(() => findBrowser(undefined, empty), { code: "unavailable", hint: /apt-get install chromium.*leave --png out/ });
  t.throws(() => findBrowser(join(empty, "none")), { code: "unavailable", message: /^POPUP_CHROMIUM: \S+ is no program/ });
  t.end();
});
