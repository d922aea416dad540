/** `popup preview` */
import type { Command } from "commander";
import { parseCampaignId } from "../../campaign.js";
import { readChromium } from "../../config.js";
import { invalid } from "../../errors.js";
import type { Size } from "../../preview/screenshot.js";
import { contextOf, untilStopped, withStore } from "../context.js";

export function previewCommand(program: Command): void {
  program
    .command("preview")
    .description("a campaign, of any status, as the demo page shows it; nothing counts")
    .argument("<id>", "campaign id")
    .option("--png <file>", "a picture of it, by the Chromium or Chrome of this machine (env POPUP_CHROMIUM), in place of a page")
    .option("--size <WxH>", "of the picture, in pixels", "390x844")
    .addHelpText(
      "after",
      "\nIt reads the store alone. Without --png the page is served to this machine until\nCtrl-C.\n\nExamples:\n  popup preview 7\n  popup preview 7 --png popup.png --size 1200x864",
    )
    .action(async (text: string, flags: { png?: string; size: string }, command: Command) => {
      const context = contextOf(command);
      const id = parseCampaignId(text);
      const size = parseSize(flags.size);
      const campaign = await withStore(context, (store) => store.campaigns.get(id));
      const { servePreview } = await import("../../preview/page.js");
      if (flags.png === undefined) {
        const stopped = untilStopped();
        const server = await servePreview(campaign);
        context.print({ campaign_id: id, url: server.url }, server.url);
        context.note(`campaign ${id} (${campaign.status}) is shown there; Ctrl-C stops it`);
        await stopped;
        await server.close();
        return;
      }
      const [{ findBrowser }, { screenshot }] = await Promise.all([import("../../preview/browser.js"), import("../../preview/screenshot.js")]);
      const browser = findBrowser(readChromium());
      const server = await servePreview(campaign);
      try {
        await screenshot(browser, server.url, size, flags.png);
      } finally {
        await server.close();
      }
      context.print({ campaign_id: id, png: flags.png }, `campaign ${id} is pictured in ${flags.png}`);
    });
}

/** What a window can be; a Chromium without one takes less and more, and pictures of nothing. */
const LEAST = 200;
const MOST = 4_000;

function parseSize(text: string): Size {
  const [, width = 0, height = 0] = (/^(\d{1,5})x(\d{1,5})$/.exec(text) ?? []).map(Number);
  if (Math.min(width, height) < LEAST || Math.max(width, height) > MOST)
    throw invalid("--size", `"${text}" is not a size`, `write width and height in pixels, ${LEAST} to ${MOST.toLocaleString("en-US")} each, such as 390x844`);
  return { width, height };
}
